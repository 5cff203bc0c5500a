/* backoff: how long to wait before a call is repeated. */
#ifndef TOLLGATE_BACKOFF_H
#define TOLLGATE_BACKOFF_H

enum { BACKOFF_FIRST_MS = 500, BACKOFF_MOST_MS = 8000 };

/*
 * What a provider asks for, by the values of its headers Retry-After-Ms, Retry-After (seconds, or a date, which its own
 * Date is taken from) and Date, each NULL when it did not come. -1: nothing that makes sense.
 */
int backoff_asked(const char *ms, const char *after, const char *date);

/* Before repetition n, from 0: twice as long each time, less up to a quarter by chance, so that callers spread. */
int backoff_ms(unsigned n);

#endif
