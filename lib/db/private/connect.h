/*
 * connect: opens a connection within a deadline. libpq's own connect_timeout counts whole seconds and applies to each
 * host of conninfo in turn, so a machine that does not answer delays the next. The deadline does not cover the look-up
 * of a host's name; hostaddr needs none.
 */
#ifndef TOLLGATE_CONNECT_H
#define TOLLGATE_CONNECT_H

#include <libpq-fe.h>
#include <stdint.h>

#include "mem.h"

enum { CONNECT_MS = 2000 };		/* at most, for one host */

struct connect_setting {
	const char	*name;
	const char	*value;		/* NULL or "": not set */
};

struct connect_options {
	const struct connect_setting	*defaults;	/* conninfo may override these; NULL at the end */
	const char			*conninfo;
	const struct connect_setting	*ours;		/* and may not override these */
};

/*
 * Connects to the first host that accepts, in the order of conninfo. Each host gets an equal part of the time, at most
 * CONNECT_MS, and one more part is left for the caller. NULL: every host failed; *why, on mem, has all their messages.
 */
PGconn *connect_any(mem_ctx *mem, const struct connect_options *o, int64_t deadline, const char **why);

#endif
