/*
 * connect: a connection that is made within a deadline. libpq alone waits for each host of conninfo for as long as it is
 * told to, one after the other, and in whole seconds: of a machine that has vanished nothing is ever heard. To look up a
 * host's name still takes as long as it takes: hostaddr needs none.
 */
#ifndef TOLLGATE_CONNECT_H
#define TOLLGATE_CONNECT_H

#include <libpq-fe.h>
#include <stdint.h>

#include "mem.h"

enum { CONNECT_MS = 2000 };		/* for one host at most */

struct connect_setting {
	const char	*name;
	const char	*value;		/* NULL or "": none */
};

struct connect_options {
	const struct connect_setting	*defaults;	/* what conninfo may say otherwise; NULL at the end */
	const char			*conninfo;
	const struct connect_setting	*ours;		/* what it may not */
};

/*
 * The first host that takes us, in the order of conninfo. Each has an equal part of the time, and another part is left for
 * what the connection is wanted for. NULL: none did; *why, on mem, is what each of them said.
 */
PGconn *connect_any(mem_ctx *mem, const struct connect_options *o, int64_t deadline, const char **why);

#endif
