/*
 * batch: the combined commit. Events that come in while another commit is under way are stored together by the next one:
 * one statement, one commit for all of them. Nobody waits for company: an event that comes alone goes at once.
 */
#ifndef TOLLGATE_BATCH_H
#define TOLLGATE_BATCH_H

#include <pthread.h>

#include "inbox.h"

enum { BATCH_EVENTS = 64, BATCH_BYTES = 4 * 1024 * 1024 };

struct batch_place;

/* Shared by the threads of a process. */
struct batch {
	pthread_mutex_t		lock;
	struct batch_place	*first;		/* who waits for a commit, in the order they came */
	struct batch_place	*last;
	bool			flushing;	/* one of them is at the database */
};

#define BATCH_NEW { .lock = PTHREAD_MUTEX_INITIALIZER }

/*
 * Stores one event, as inbox_receive() does, together with those of other threads. OK only once this very event is
 * durable. When what is stored together is refused, each is stored alone: an event fails for its own sake only.
 */
enum err batch_receive(struct batch *b, struct db *db, mem_ctx *mem, const struct inbox_event *e,
    const struct inbox_receipt *r, bool *duplicate) MUST_CHECK;

#endif
