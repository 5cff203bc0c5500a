/*
 * breaker: after 5 failures among the last 10 calls, refuses for 10 s, then lets one call through each 10 s until one
 * succeeds. No caller waits for Stripe in an outage. Pure: the caller gives the time and holds the lock.
 */
#ifndef TOLLGATE_BREAKER_H
#define TOLLGATE_BREAKER_H

#include <stdbool.h>
#include <stdint.h>

enum { BREAKER_CALLS = 10, BREAKER_FAILURES = 5, BREAKER_PAUSE_MS = 10000 };

struct breaker {
	unsigned	failed;		/* the last calls, one bit each, the newest lowest; 1: failed */
	int64_t		until;		/* ms; 0: closed */
};

/* Whether a call may be made now. An open breaker answers true once each pause: that call is the probe. */
bool breaker_allows(struct breaker *b, int64_t now);

/* Whether calls are refused now. Does not claim the probe. */
bool breaker_is_open(const struct breaker *b, int64_t now);

/* Whether it has opened, and no call has succeeded since. */
bool breaker_has_opened(const struct breaker *b);

/* Records the result of a call. */
void breaker_note(struct breaker *b, bool succeeded, int64_t now);

/* Opens the breaker at once, whatever the last results were. */
void breaker_trip(struct breaker *b, int64_t now);

#endif
