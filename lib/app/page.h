/*
 * page: a JSON document and the mustache template that shows it, or the same document as JSON.
 */
#ifndef TOLLGATE_PAGE_H
#define TOLLGATE_PAGE_H

#include <json-c/json.h>

#include "err.h"
#include "http.h"
#include "mem.h"
#include "pages.h"

struct visit;

/*
 * Renders template name around doc into the response with the given status: layout, language links, form token,
 * security headers. doc may be NULL.
 */
enum err page_status(struct visit *v, int status, const char *name, struct json_object *doc) MUST_CHECK;

/* The same with v->status: 200, or what a refused form made of it. */
enum err page(struct visit *v, const char *name, struct json_object *doc) MUST_CHECK;

/* A JSON body with the same security headers. */
enum err page_json(struct visit *v, int status, struct json_object *doc) MUST_CHECK;

/* The answer to an error: a designed page, or {"error": sentence} where JSON is wanted. */
void page_error(struct visit *v, enum err why);

/* A template without layout, for mails: "mail/signin.txt". */
enum err page_text(const struct pages *p, mem_ctx *mem, const char *language, const char *name, struct json_object *doc,
    char **out) MUST_CHECK;

#endif
