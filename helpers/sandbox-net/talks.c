// SPDX-License-Identifier: MIT
#include "talks.h"

static struct talk key_of(const struct frame *frame, bool out)
{
	return out ? (struct talk){ frame->dst, frame->dport, frame->sport, 0 }
		   : (struct talk){ frame->src, frame->sport, frame->dport, 0 };
}

static bool is_same(const struct talk *a, const struct talk *b)
{
	return a->port == b->port && a->remote_port == b->remote_port &&
	       naddr_equal(&a->remote, &b->remote);
}

/* Where a talk is looked for: TALKS_WAYS places. */
static struct talk *group_of(struct talks *talks, const struct talk *key)
{
	uint64_t hash = (uint64_t)key->remote_port << 16 | key->port;

	for (size_t i = 0; i < sizeof(key->remote.bytes); i++)
		hash = (hash ^ key->remote.bytes[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return &talks->list[(hash >> 40) % (TALKS / TALKS_WAYS) * TALKS_WAYS];
}

bool talks_has(struct talks *talks, const struct frame *frame, bool out)
{
	const struct talk key = key_of(frame, out);
	struct talk *talk = group_of(talks, &key);

	for (int i = 0; i < TALKS_WAYS; i++)
		if (is_same(&talk[i], &key) && talk[i].used &&
		    talks->now - talk[i].used < TALKS_MS) {
			talk[i].used = talks->now;
			return true;
		}
	return false;
}

void talks_add(struct talks *talks, const struct frame *frame)
{
	struct talk key = key_of(frame, true);
	struct talk *talk = group_of(talks, &key), *place = talk;

	key.used = talks->now;
	for (int i = 0; i < TALKS_WAYS; i++) {
		if (is_same(&talk[i], &key)) {
			place = &talk[i];
			break;
		}
		if (talk[i].used < place->used)
			place = &talk[i];
	}
	*place = key;
}
