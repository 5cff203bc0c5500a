/* unit: what the unit tests share. Include after cmocka.h. */
#ifndef TOLLGATE_UNIT_H
#define TOLLGATE_UNIT_H

#include "mem.h"

#define LENGTH(a) (sizeof(a) / sizeof(*(a)))

static inline int
make_mem(void **state)
{
	*state = mem_new();
	return 0;
}

static inline int
free_mem(void **state)
{
	return talloc_free(*state);
}

/* A test whose state is a fresh mem_ctx. */
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_mem, free_mem)

#endif
