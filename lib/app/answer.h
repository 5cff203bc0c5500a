/* answer: the headers of every response, JSON bodies, and errors. */
#ifndef TOLLGATE_ANSWER_H
#define TOLLGATE_ANSWER_H

#include "visit.h"

/* The security headers, and Cache-Control: no-store. */
void answer_headers(struct visit *v);

/* A JSON body. Returns OK, so that a handler can end with it. */
enum err answer_json(struct visit *v, int status, struct json_object *doc);

/* 400 with {"error": sentence, "field": name, "reason": reason}. Returns OK. */
enum err answer_field(struct visit *v, const char *field, const char *reason);

/* The response to an error: a page, or {"error": sentence} where JSON is wanted or the program has no pages. */
void answer_error(struct visit *v, enum err why);

#endif
