/* attempt: one call to one candidate, from its connection to its end or ours. */
#ifndef TOLLGATE_ATTEMPT_H
#define TOLLGATE_ATTEMPT_H

#include "candidate.h"
#include "feed.h"

enum attempt_end {
	ATTEMPT_WHOLE,		/* the answer has its end */
	ATTEMPT_LIMIT,		/* we ended it: it was too long, or took too long */
	ATTEMPT_FAILED,		/* answer.verdict */
	ATTEMPT_STOPPED		/* by text() or tick() */
};

/* Times are of clock_ms(). */
struct attempt {
	const struct turn_request	*turn;
	const struct turn_calls		*calls;
	const struct candidate		*to;
	int64_t				first_by;	/* the first text */
	int64_t				total_by;	/* the end of the answer */

	/* What comes of it. */
	enum attempt_end		end;
	struct wire_answer		answer;
	size_t				sent;		/* bytes that text() has taken */
	int				status;		/* HTTP's; 0: no answer */
	int				retry_ms;	/* the provider asks to wait so long; -1: it does not say */
	int64_t				began, first_at;	/* first_at: the first text; 0: none came */

	/* While it runs. */
	struct feed			*feed;
	struct sse			*sse;
	mem_ctx				*step;		/* what one event needs */
	struct buf			body;		/* of an answer that is no stream */
	int64_t				by;		/* something must have come */
	int64_t				tick_at;
	bool				stopped, over;
	bool				deaf;		/* other_fd said something, and tick() found nothing: not asked again for now */
};

/* Fill in the first five members. */
void attempt_run(struct attempt *a);

#endif
