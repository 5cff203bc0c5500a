/* smtp: hands one message to the mail server (libcurl). The connection is kept for the next one. */
#ifndef TOLLGATE_SMTP_H
#define TOLLGATE_SMTP_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct smtp;

struct smtp_options {
	const char	*url;		/* smtp://host:port or smtps:// */
	const char	*user;		/* or "" */
	const char	*password;
	bool		starttls;	/* on smtp://: nothing is sent without it */
	int		timeout_ms;	/* for one message */
};

/* No connection is made. Hangs on ctx. For one thread at a time. */
struct smtp *smtp_open(mem_ctx *ctx, const struct smtp_options *options);

/*
 * Addresses bare. OK once the server has said that it took the message. ERR_INVALID: refused for good (5xx);
 * ERR_UNAVAILABLE: any other way to fail, and it may have been taken. *why, on mem, says it for a person.
 */
enum err smtp_send(struct smtp *s, mem_ctx *mem, const char *from, const char *to, const char *message,
    const char **why) MUST_CHECK;

/* From any thread: the message in flight, and every later one, fails within a second. */
void smtp_stop(struct smtp *s);

#endif
