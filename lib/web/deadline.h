/* deadline: a point in monotonic time by which something must have happened. */
#ifndef TOLLGATE_DEADLINE_H
#define TOLLGATE_DEADLINE_H

#include <stdint.h>
#include <time.h>

static inline int64_t
deadline_now(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t
deadline_after(int ms)
{
	return deadline_now() + ms;
}

/* Milliseconds left, as poll() wants them: never negative. */
static inline int
deadline_left(int64_t deadline)
{
	int64_t	left = deadline - deadline_now();

	return left > 0 ? (int)left : 0;
}

#endif
