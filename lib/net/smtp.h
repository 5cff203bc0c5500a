/* smtp: hands one message to the mail server (libcurl). The connection is kept for the next one. */
#ifndef TOLLGATE_SMTP_H
#define TOLLGATE_SMTP_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct smtp;

struct smtp_options {
	const char	*url;		/* smtp://host:port or smtps:// */
	const char	*user;		/* "": no login */
	const char	*password;
	bool		starttls;	/* on smtp://: nothing is sent without it */
	int		timeout_ms;	/* for one message */
};

/* Does not connect yet. Hangs on ctx. For one thread at a time. */
struct smtp *smtp_open(mem_ctx *ctx, const struct smtp_options *options);

/*
 * from and to are bare addresses. OK: the server has accepted the message. ERR_INVALID: it refused the message for good
 * (5xx). ERR_UNAVAILABLE: any other failure; the message may still have been accepted. *why, on mem, is the reason.
 */
enum err smtp_send(struct smtp *s, mem_ctx *mem, const char *from, const char *to, const char *message,
    const char **why) MUST_CHECK;

/* From any thread: the message in flight, and every later one, fails within a second. */
void smtp_stop(struct smtp *s);

#endif
