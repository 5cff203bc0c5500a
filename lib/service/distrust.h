/*
 * distrust: deliveries that look like Stripe's and keep failing their signature, told from a stranger's garbage. A
 * stranger sends what he likes, so one failure says nothing. An alert is worth raising when one network has sent some
 * that look right, over a minute or more, while no delivery verified. Pure: the caller gives the time.
 */
#ifndef TOLLGATE_DISTRUST_H
#define TOLLGATE_DISTRUST_H

#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

enum { DISTRUST_TIMES = 5, DISTRUST_OVER_MS = 60 * 1000, DISTRUST_AGAIN_MS = 600 * 1000, DISTRUST_SLOTS = 16 };

/* Shared by the threads of a process. */
struct distrust {
	pthread_mutex_t	lock;
	bool		open;		/* an alert may be open; true at start, since an earlier process may have raised it */
	int64_t		told;		/* ms; 0: never */
	struct distrust_slot {
		int		cause;
		struct in6_addr	network;
		unsigned	times;		/* 0: free */
		int64_t		first, last;
	} slots[DISTRUST_SLOTS];
};

#define DISTRUST_NEW { .lock = PTHREAD_MUTEX_INITIALIZER, .open = true }

/* A failure of a delivery that looks like Stripe's. True: raise the alert of this cause now. */
bool distrust_note(struct distrust *d, int cause, const char *address, int64_t now);

/* A delivery has verified. True: end the alerts. */
bool distrust_end(struct distrust *d);

/* Raising or ending could not be stored: the next delivery says it again. */
void distrust_again(struct distrust *d);

#endif
