/* deadline: a point in monotonic time by which something must have happened. */
#ifndef TOLLGATE_DEADLINE_H
#define TOLLGATE_DEADLINE_H

#include <limits.h>

#include "clock.h"

static inline int64_t
deadline_after(int ms)
{
	return clock_ms() + ms;
}

/* Milliseconds left, as poll() wants them: never negative. */
static inline int
deadline_left(int64_t deadline)
{
	int64_t	left = deadline - clock_ms();

	return left <= 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static inline int64_t
deadline_earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

#endif
