// SPDX-License-Identifier: MIT
#include "dnsmsg.h"

#include "frame.h"

enum {
	JUMPS_MAX = 64,
	LABEL_MAX = 63,
	TEXT_MAX = 253,
	POINTER = 0xc0,
	QUESTION_TAIL = 4,
	RECORD_TAIL = 10
};

static char plain(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	return c > ' ' && c < 0x7f && c != '.' ? (char)c : '?';
}

/* One label at `at` behind what is in name[0..*n]. */
static bool take_label(const uint8_t *p, size_t len, size_t at, char *name, size_t *n)
{
	size_t size = p[at];

	if (size > LABEL_MAX || at + 1 + size > len || *n + size + 1 > TEXT_MAX + 1)
		return false;
	if (*n)
		name[(*n)++] = '.';
	for (size_t i = 0; i < size; i++)
		name[(*n)++] = plain(p[at + 1 + i]);
	return *n <= TEXT_MAX;
}

size_t dnsmsg_name(const uint8_t *p, size_t len, size_t at, char *name)
{
	size_t end = 0, n = 0;

	for (int jumps = 0; at < len;) {
		if (p[at] == 0) {
			name[n] = '\0';
			return end ? end : at + 1;
		}
		if ((p[at] & POINTER) == POINTER) {
			size_t to;

			if (at + 2 > len || ++jumps > JUMPS_MAX)
				return 0;
			to = get16(p + at) & 0x3fff;
			end = end ? end : at + 2;
			if (to >= at)
				return 0;
			at = to;
			continue;
		}
		if (!take_label(p, len, at, name, &n))
			return 0;
		at += 1U + p[at];
	}
	return 0;
}

bool dnsmsg_question(const uint8_t *p, size_t len, struct dnsmsg_question *ret)
{
	size_t at;

	if (len < DNSMSG_HEADER || dnsmsg_opcode(p) != 0 || get16(p + 4) != 1)
		return false;
	at = dnsmsg_name(p, len, DNSMSG_HEADER, ret->name);
	if (at == 0 || at + QUESTION_TAIL > len)
		return false;
	ret->type = get16(p + at);
	ret->class = get16(p + at + 2);
	ret->end = at + QUESTION_TAIL;
	return true;
}

bool dnsmsg_record(const uint8_t *p, size_t len, size_t at, struct dnsmsg_record *ret)
{
	at = dnsmsg_name(p, len, at, ret->owner);
	if (at == 0 || at + RECORD_TAIL > len)
		return false;
	ret->type = get16(p + at);
	ret->class = get16(p + at + 2);
	ret->ttl = at + 4;
	ret->size = get16(p + at + 8);
	ret->data = at + RECORD_TAIL;
	ret->end = ret->data + ret->size;
	return ret->end <= len;
}

bool dnsmsg_address(const uint8_t *p, const struct dnsmsg_record *record, struct naddr *ret)
{
	static const uint8_t mapped[12] = { [10] = 0xff, 0xff };

	if (record->class != DNSMSG_IN)
		return false;
	if (record->type == DNSMSG_A && record->size == 4)
		*ret = naddr4(p + record->data);
	else if (record->type == DNSMSG_AAAA && record->size == 16)
		*ret = memcmp(p + record->data, mapped, 12) == 0 ? naddr4(p + record->data + 12)
								 : naddr6(p + record->data);
	else
		return false;
	return true;
}

unsigned dnsmsg_answers(const uint8_t *p)
{
	return get16(p + 6);
}

size_t dnsmsg_empty(uint8_t *p, size_t end, unsigned rcode)
{
	p[2] = (uint8_t)((p[2] & 0x79) | 0x80); /* a response; operation and RD of the query */
	p[3] = (uint8_t)((p[3] & 0x10) | 0x80 | rcode); /* RA; CD of the query */
	put16(p + 4, end > DNSMSG_HEADER ? 1 : 0);
	memset(p + 6, 0, 6);
	return end;
}

/* Where the size is in the EDNS record of a query; 0: it has none. */
static size_t edns_size(const uint8_t *p, size_t len)
{
	struct dnsmsg_question q;
	struct dnsmsg_record record;
	size_t at;

	if (!dnsmsg_question(p, len, &q))
		return 0;
	at = q.end;
	for (unsigned n = get16(p + 6) + get16(p + 8) + get16(p + 10); n > 0; n--) {
		if (!dnsmsg_record(p, len, at, &record))
			return 0;
		if (record.type == DNSMSG_OPT && record.owner[0] == '\0')
			return record.ttl - 2; /* in the place of the class */
		at = record.end;
	}
	return 0;
}

size_t dnsmsg_room(const uint8_t *query, size_t len)
{
	size_t at = edns_size(query, len), size = at ? get16(query + at) : DNSMSG_PLAIN;

	return size < DNSMSG_PLAIN ? DNSMSG_PLAIN : size > DNSMSG_EDNS ? DNSMSG_EDNS : size;
}

void dnsmsg_lower(uint8_t *query, size_t len)
{
	size_t at = edns_size(query, len);

	if (at && get16(query + at) > DNSMSG_EDNS)
		put16(query + at, DNSMSG_EDNS);
}

size_t dnsmsg_cut(uint8_t *p, size_t len)
{
	struct dnsmsg_question q;
	size_t end = dnsmsg_question(p, len, &q) ? q.end : DNSMSG_HEADER;

	end = dnsmsg_empty(p, end, dnsmsg_rcode(p));
	p[2] |= 0x02;
	return end;
}

size_t dnsmsg_add(uint8_t *p, size_t len, size_t size, const struct naddr *a, uint32_t ttl)
{
	unsigned bytes = a->family == 4 ? 4 : 16;
	uint8_t *at = p + len;

	if (len + 2 + RECORD_TAIL + bytes > size)
		return len;
	put16(at, POINTER << 8 | DNSMSG_HEADER);
	put16(at + 2, a->family == 4 ? DNSMSG_A : DNSMSG_AAAA);
	put16(at + 4, DNSMSG_IN);
	put32(at + 6, ttl);
	put16(at + 10, bytes);
	memcpy(at + 12, a->bytes, bytes);
	put16(p + 6, dnsmsg_answers(p) + 1);
	return len + 2 + RECORD_TAIL + bytes;
}
