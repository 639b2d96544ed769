// SPDX-License-Identifier: MIT
#include "run.h"

int stage_walk(struct run *run, enum stage stage, struct err *err)
{
	const GArray *ops = run->plan->ops;

	for (unsigned i = 0; i < ops->len; i++) {
		const struct op *op = &g_array_index(ops, struct op, i);
		int r;

		if (op->stage != stage || !op_classes[op->kind].apply)
			continue;
		r = op_classes[op->kind].apply(op, run, err);
		if (r < 0) {
			err->stage = (uint16_t)stage;
			return err_origin(err, op->origin);
		}
	}
	return 0;
}

const struct op *stage_find(const struct plan *plan, enum op_kind kind)
{
	for (unsigned i = 0; i < plan->ops->len; i++) {
		const struct op *op = &g_array_index(plan->ops, struct op, i);

		if (op->kind == kind)
			return op;
	}
	return NULL;
}
