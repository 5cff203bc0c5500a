/*
 * mail: one message with a text and an HTML part as the bytes that SMTP carries. Pure. The message is ASCII and its
 * lines end in CRLF. Lines of the parts have at most 76 characters and do not begin with a dot.
 */
#ifndef TOLLGATE_MAIL_H
#define TOLLGATE_MAIL_H

#include <time.h>

#include "err.h"
#include "mem.h"

struct mail {
	const char	*id;		/* of a-z, 0-9 and -, the same at each attempt: it becomes the Message-ID */
	const char	*from;		/* "Name <address>" or "address" */
	const char	*to;		/* address */
	const char	*subject;	/* UTF-8; surrounding white space is cut */
	const char	*text;		/* UTF-8, lines ending in LF or CRLF */
	const char	*html;
	time_t		date;
};

/* ERR_INVALID: the id or an address is malformed, or a header has a control character (as a line end) or bad UTF-8. */
enum err mail_compose(mem_ctx *mem, const struct mail *m, char **out) MUST_CHECK;

/* The address in "Name <address>", for the envelope; NULL when there is none. */
char *mail_address(mem_ctx *mem, const char *from);

#endif
