/*
 * verdict: what follows from a call to a model that failed, by the status of its answer or by an error event, in
 * OpenAI's and Anthropic's words. A provider's words are looked up here and go nowhere else: they quote keys.
 */
#ifndef TOLLGATE_VERDICT_H
#define TOLLGATE_VERDICT_H

#include <json-c/json.h>

enum verdict_act {
	VERDICT_RETRY,		/* the same again, once; then the next candidate */
	VERDICT_NEXT,		/* the next candidate */
	VERDICT_REFUSED		/* the request is wrong: nobody would take it */
};

struct verdict {
	enum verdict_act	act;
	const char		*outcome;	/* as api.chat_note_call() takes it */
	int			status;		/* that it stands for; 0: none */
	const char		*why;		/* our words, for the log */
};

/* Of an answer with this status, or of an error event (0); error: the object "error" of its body, or NULL. */
struct verdict verdict_of(int status, struct json_object *error);

/* Of a call that has no answer: our words. */
struct verdict verdict_lost(const char *why);

#endif
