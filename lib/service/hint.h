/*
 * hint: webhooks tells jobs that there is work, which then need not wait until jobs looks. Nothing depends on it: jobs looks
 * anyway. And once hinted at, it looks several times, for longer than hints are apart.
 */
#ifndef TOLLGATE_HINT_H
#define TOLLGATE_HINT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "service.h"

/* Shared by the threads of a process. */
struct hint {
	atomic_bool	wanted;
	_Atomic int64_t	next;	/* when the next one may go, in ms; while one is under way, never */
};

/* The work is committed. */
void hint_want(struct hint *h);

/* Sends one if it is wanted. Now and then only, from one thread at a time; whether it arrives, nobody asks. */
void hint_send(struct hint *h, struct db *db);

/*
 * Calls told(arg) at each hint, until stop_fd is readable or the connection lost. ERR_UNAVAILABLE: it could not listen. Not
 * for a connection through a pooler.
 */
enum err hint_listen(struct db *db, int stop_fd, void (*told)(void *arg), void *arg) MUST_CHECK;

#endif
