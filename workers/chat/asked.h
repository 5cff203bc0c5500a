/*
 * asked: what POST /api/chat asks for, as useChat of the AI SDK 5, 6 and 7 sends it: {"id", "messages", "trigger",
 * "messageId"}, or "message" in place of "messages" where a page sends the last one alone. Of the messages only the
 * user's last text is read: the database has the rest, and what a browser says of it may be forged.
 */
#ifndef TOLLGATE_ASKED_H
#define TOLLGATE_ASKED_H

#include "visit.h"

enum { ASKED_TEXT = 64 * 1024 };

struct asked {
	const char	*chat;
	const char	*message;	/* the user's last one */
	const char	*text;		/* of it */
	const char	*trigger;	/* "submit-message" or "regenerate-message" */
	const char	*message_id;	/* "messageId", or NULL */
	const char	*model;		/* ours, beside what useChat sends; or NULL */
	const char	*tenant;	/* as well */
	const char	*field, *reason;	/* of ERR_INVALID */
};

/* ERR_INVALID: field and reason say why. ERR_TOO_LARGE: the text is over ASKED_TEXT. */
enum err asked_read(struct visit *v, struct asked *a) MUST_CHECK;

/* The same of a form's fields: chat, message, text, model, tenant. */
enum err asked_read_form(struct visit *v, struct asked *a) MUST_CHECK;

/* As the database takes it. */
const char *asked_document(struct visit *v, const struct asked *a);

#endif
