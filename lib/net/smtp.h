/* smtp: hands one message to the mail server (libcurl). The connection is kept for the next one. */
#ifndef TOLLGATE_SMTP_H
#define TOLLGATE_SMTP_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct smtp;

struct smtp_options {
	const char	*url;		/* smtp://host:port or smtps:// */
	const char	*helo;		/* the name that we greet the server with */
	const char	*user;		/* "": no login */
	const char	*password;
	bool		starttls;	/* on smtp://: nothing is sent without it */
	int		timeout_ms;	/* for one message */
};

/* Does not connect yet. Hangs on ctx. For one thread at a time. */
struct smtp *smtp_open(mem_ctx *ctx, const struct smtp_options *options);

#define SMTP_UNREACHABLE "unreachable"

/* Both on the context of the call. */
struct smtp_failure {
	const char	*words;		/* libcurl's, or the command and the server's reply: "RCPT: 550 5.1.1 no such user" */
	const char	*cause;		/* what keeps other mails back too; NULL: this mail failed alone */
};

/*
 * from and to are bare addresses. OK: the server has accepted the message. ERR_INVALID: it says that the recipient
 * cannot be reached. ERR_UNAVAILABLE: any other failure; the message may still have been accepted. Its cause is
 * SMTP_UNREACHABLE, or the command and the codes of a refusal that is not the recipient's: "RCPT 550 5.7.1".
 */
enum err smtp_send(struct smtp *s, mem_ctx *mem, const char *from, const char *to, const char *message,
    struct smtp_failure *why) MUST_CHECK;

/* From any thread: the message in flight, and every later one, fails within a second. */
void smtp_stop(struct smtp *s);

#endif
