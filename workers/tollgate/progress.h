/* progress: how far a long piece of work has come, on stderr: a bar on a terminal, else a plain line now and then. */
#ifndef TOLLGATE_PROGRESS_H
#define TOLLGATE_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress {
	const char	*what;
	long		total;		/* 0: nobody knows */
	bool		bar;
	int64_t		told;		/* ms; when the last plain line was */
};

void progress_begin(struct progress *p, const char *what, long total);

/* at: where one would go on from, or NULL. */
void progress_step(struct progress *p, long done, const char *at);

/* The last word, told in any case. */
void progress_end(struct progress *p, long done);

#endif
