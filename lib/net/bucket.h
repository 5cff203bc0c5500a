/*
 * bucket: limits the calls a second, and pauses all of them when Stripe asks to slow down. A second's worth of calls
 * may be made at once; then they are spread evenly. Pure: the caller gives the time and holds the lock.
 */
#ifndef TOLLGATE_BUCKET_H
#define TOLLGATE_BUCKET_H

#include <stdint.h>

struct bucket {
	int	rate;		/* calls a second; 0: any number */
	int64_t	full_at;	/* us; when the bucket is full again if no more calls are made */
	int64_t	paused_until;	/* ms */
};

/* 0: the call may be made now, and is counted. Else the ms to wait before the next attempt. */
int64_t bucket_take(struct bucket *b, int64_t now);

/* No calls for ms; after that they are spread evenly, without a burst. Never shortens a pause. */
void bucket_pause(struct bucket *b, int64_t now, int ms);

#endif
