/* progress: how far a long task has come, on stderr: a bar on a terminal, else a line at most every 2 s. */
#ifndef TOLLGATE_PROGRESS_H
#define TOLLGATE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char	*what;
	long		total;		/* 0: unknown */
	bool		bar;
	int64_t		printed;	/* clock_ms() of the last plain line */
};

void progress_begin(struct progress *p, const char *what, long total);

/* at: the id of the last object that is done, or NULL. */
void progress_step(struct progress *p, long done, const char *at);

/* Prints the final count as a line, also on a terminal. */
void progress_end(struct progress *p, long done);

#endif
