/* answer: the headers of every response, JSON bodies, and errors. */
#ifndef TOLLGATE_ANSWER_H
#define TOLLGATE_ANSWER_H

#include "stream.h"
#include "visit.h"

/* The security headers, and Cache-Control: no-store. */
void answer_headers(struct visit *v);

/* A JSON body. Returns OK, so that a handler can end with it. */
enum err answer_json(struct visit *v, int status, struct json_object *doc);

/* 204, which has no body and no type of one. Returns OK. */
enum err answer_nothing(struct visit *v);

/*
 * Adds what every error in JSON has: "error", a sentence for people, which may change, and "code", a word for programs,
 * which stays.
 */
void answer_put_error(struct json_object *doc, const char *code, const char *sentence);

/* An error's status, with {"error", "code", "field": name, "reason": reason}. Returns OK. */
enum err answer_fault(struct visit *v, enum err why, const char *field, const char *reason);

/* 400 with {"error": sentence, "code": "bad_request", "field": name, "reason": reason}. Returns OK. */
enum err answer_field(struct visit *v, const char *field, const char *reason);

/*
 * What is left of each limit in doc["limits"], [{"name", "allowed", "seconds", "left", "reset"}...], as headers:
 * draft-ietf-httpapi-ratelimit-headers. None where there is no limit.
 */
void answer_limits(struct visit *v, struct json_object *doc);

/* The response to an error: a page, or JSON where JSON is wanted or the program has no pages. */
void answer_error(struct visit *v, enum err why);

/*
 * Begins an answer of server-sent events for useChat of the AI SDK: the security headers, what keeps a proxy from
 * holding events back, and the session's next token if the database has issued one. It issues none later in this
 * request. Whatever may refuse the request is called before. ERR_CLOSED: the client is gone.
 */
enum err answer_stream(struct visit *v, struct stream **out) MUST_CHECK;

#endif
