// SPDX-License-Identifier: MIT
/* Parents before children, so that a mount never covers what was mounted before it. */
#include <string.h>

#include "view.h"

/* Where a row is placed; NULL for rows that stay where they are. */
static const char *place_of(const struct op *op)
{
	switch (op->kind) { /* NOLINT: the others have no place */
	case OP_SYMLINK: return op->u.symlink.dst;
	case OP_BIND: return op->u.bind.dst;
	case OP_TMPFS: return op->u.tmpfs.dst;
	case OP_SCRATCH: return op->u.scratch.dst;
	case OP_DATA: return op->u.data.dst;
	case OP_HIDE:
	case OP_PROTECT: return op->u.path.dst;
	default: return NULL;
	}
}

static bool takes_place(const struct op *op)
{
	return place_of(op) && op->kind != OP_HIDE && op->kind != OP_PROTECT;
}

struct placed {
	struct op op;
	unsigned depth, nth;
};

static int compare(const void *a, const void *b)
{
	const struct placed *x = a, *y = b;

	if (x->depth != y->depth)
		return x->depth < y->depth ? -1 : 1;
	return x->nth < y->nth ? -1 : x->nth > y->nth;
}

static bool replaced(const GArray *rows, unsigned i)
{
	const struct op *op = &g_array_index(rows, struct op, i);

	if (!takes_place(op))
		return false;
	for (unsigned k = i + 1; k < rows->len; k++) {
		const struct op *later = &g_array_index(rows, struct op, k);

		if (takes_place(later) && strcmp(place_of(op), place_of(later)) == 0)
			return true;
	}
	return false;
}

/* A private directory below something of the host's cannot be a part of our root. */
static void unscratch(struct build *b, GArray *rows)
{
	for (unsigned i = 0; i < rows->len; i++) {
		struct op *op = &g_array_index(rows, struct op, i);

		for (unsigned k = 0; k < rows->len && op->kind == OP_SCRATCH; k++) {
			const struct op *over = &g_array_index(rows, struct op, k);
			struct op as_tmpfs = { .kind = OP_TMPFS,
					       .stage = op->stage,
					       .origin = op->origin };

			if ((over->kind != OP_BIND && over->kind != OP_TMPFS) ||
			    !path_below(op->u.scratch.dst, place_of(over)))
				continue;
			as_tmpfs.u.tmpfs.dst = op->u.scratch.dst;
			as_tmpfs.u.tmpfs.size = view_scratch_size(b);
			as_tmpfs.u.tmpfs.mode = op->u.scratch.mode;
			as_tmpfs.u.tmpfs.attrs = VOLUME_ATTRS;
			*op = as_tmpfs;
		}
	}
}

/* Takes the placed rows from `from` on out of the plan and puts them back in order. */
void view_order(struct build *b, unsigned from)
{
	GArray *ops = b->plan->ops;
	g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(struct op));
	g_autoptr(GArray) placed = g_array_new(FALSE, FALSE, sizeof(struct placed));
	unsigned keep = from;

	for (unsigned i = from; i < ops->len; i++) {
		struct op op = g_array_index(ops, struct op, i);

		if (place_of(&op))
			g_array_append_val(rows, op);
		else
			g_array_index(ops, struct op, keep++) = op;
	}
	g_array_set_size(ops, keep);
	unscratch(b, rows);
	for (unsigned i = 0; i < rows->len; i++) {
		struct placed p = { .op = g_array_index(rows, struct op, i), .nth = i };

		p.depth = path_depth(place_of(&p.op));
		if (!replaced(rows, i))
			g_array_append_val(placed, p);
	}
	g_array_sort(placed, compare);
	for (unsigned i = 0; i < placed->len; i++)
		g_array_append_val(ops, g_array_index(placed, struct placed, i).op);
}
