/* page: a JSON document and the mustache template that shows it. */
#ifndef TOLLGATE_PAGE_H
#define TOLLGATE_PAGE_H

#include "visit.h"

/*
 * Renders template name around doc into the response with the given status: layout, language links, form token,
 * security headers. doc may be NULL.
 */
enum err page_status(struct visit *v, int status, const char *name, struct json_object *doc) MUST_CHECK;

/* The same with v->status: 200, or the error of a form that is shown again. */
enum err page(struct visit *v, const char *name, struct json_object *doc) MUST_CHECK;

/* The page of an error, with its texts error_NAME and advice_NAME. */
/* Adds a notice at the head of the page. label: name of its text. */
void page_news(struct json_object *doc, const char *label);

enum err page_error(struct visit *v, enum err why) MUST_CHECK;

#endif
