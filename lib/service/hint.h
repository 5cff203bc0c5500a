/*
 * hint: webhooks notifies jobs of new work, and the outbox the mailer, so that the work does not wait until they poll.
 * Nothing depends on it: both poll anyway. After a hint they poll several times, for longer than hints are apart.
 */
#ifndef TOLLGATE_HINT_H
#define TOLLGATE_HINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "service.h"

/* Where hints are about objects to fetch, and about mails to send. */
enum hint_channel { HINT_OBJECTS, HINT_MAIL };

/* Shared by the threads of a process. */
struct hint {
	atomic_bool	pending;
	_Atomic int64_t	next;	/* clock_ms() from which the next hint may be sent; INT64_MAX while a thread sends one */
};

/* Asks for a hint. Call it once the work is committed. */
void hint_want(struct hint *h);

/* Sends a pending hint, unless the last one is too recent or another thread is sending. A failure is ignored. */
void hint_send(struct hint *h, struct db *db);

/*
 * Calls told(arg) when it begins to listen and at each hint, until stop_fd is readable or the connection is lost.
 * ERR_UNAVAILABLE: it could not listen. Not for a connection through a pooler.
 */
enum err hint_listen(struct db *db, enum hint_channel channel, int stop_fd, void (*told)(void *arg), void *arg)
    MUST_CHECK;

#endif
