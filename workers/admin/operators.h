/* operators: the route tables of this program, and what its files share. */
#ifndef TOLLGATE_OPERATORS_H
#define TOLLGATE_OPERATORS_H

#include "visit.h"

extern const struct route alerts_routes[], tenants_routes[], users_routes[];

/*
 * What a page of a list asks for: the parameters "q" (*text is "" without) and "after", the id of the row before it.
 * ERR_NOT_FOUND: "after" can be no id.
 */
enum err list_asked(struct visit *v, const char **text, const char **after) MUST_CHECK;

/* Adds what was searched for, and the address of the next page where there is one. */
void list_put(struct visit *v, struct json_object *doc, const char *path, const char *text);

/*
 * Answers an act on the thing that the path names with its page: after a redirect, or with the reason why nothing was
 * done. wrong: name of the text for ERR_INVALID.
 */
enum err act_done(struct visit *v, enum err e, const char *wrong) MUST_CHECK;

#endif
