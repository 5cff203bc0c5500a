/*
 * refusal: why somebody gets no answer, or no more of it, as useChat reads it: the body of a status, or the text of an
 * error part, {"error": sentence, "code", "retry_after": seconds, "reset": time, "upgrade": URL}.
 */
#ifndef TOLLGATE_REFUSAL_H
#define TOLLGATE_REFUSAL_H

#include "visit.h"

struct refusal {
	const char	*code;		/* the database's */
	const char	*word;		/* ours; NULL: the same */
	int		status;
	bool		upgrade;	/* another plan helps */
	int		wait;		/* seconds, where the database does not say; 0: it helps nothing */
	const char	*sentence;
	const char	*page;		/* the text of our page */
};

/* Of an answer's code. An unknown one is an outage. */
const struct refusal *refusal_find(const char *code);

/* doc: what the database has said of it, or NULL. */
struct json_object *refusal_document(struct visit *v, const char *code, struct json_object *doc);

/* The whole answer. Returns OK, so that a handler can end with it. */
enum err refusal_answer(struct visit *v, const char *code, struct json_object *doc);

#endif
