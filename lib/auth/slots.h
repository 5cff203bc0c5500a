/*
 * slots: how many passwords the machine stretches at a time, over all processes. Under mod_fcgid each request is a
 * process of its own, so a count within one bounds nothing. A slot is a lock on a file, which ends with its process.
 */
#ifndef TOLLGATE_SLOTS_H
#define TOLLGATE_SLOTS_H

#include "err.h"
#include "mem.h"

enum {
	SLOTS_QUEUE	= 50,		/* that wait for a slot at most */
	SLOTS_WAIT_MS	= 3000		/* for it at most */
};

struct slots {
	const char	*dir;
	int		n;
};

/*
 * The files of n slots in dir, made when missing. ERR_FORBIDDEN: dir cannot be made, or is not this user's own, so that
 * others could hold the locks; *why says which.
 */
enum err slots_open(mem_ctx *ctx, const char *dir, int n, struct slots *out, const char **why) MUST_CHECK;

/* *slot is for slot_give(). ERR_UNAVAILABLE: SLOTS_QUEUE wait already, or none came free in time. */
enum err slot_take(const struct slots *slots, int *slot) MUST_CHECK;

void slot_give(int slot);

#endif
