/* check: what is checked of a request that may change something, before its handler runs. */
#ifndef TOLLGATE_CHECK_H
#define TOLLGATE_CHECK_H

#include "visit.h"

/*
 * A form: from our own origin, urlencoded, with the token of its session or, on a visitor's page, of its flow cookie.
 * *answered: a visitor's form that cannot be parsed, or whose token does not match, was shown again with the reason.
 */
enum err check_form(struct visit *v, bool *answered) MUST_CHECK;

/* A call of our API by a script: see kind_api. *answered is false. */
enum err check_api(struct visit *v, bool *answered) MUST_CHECK;

/* What "Authorization: Bearer ..." holds, or NULL. The scheme's name is written in any case. */
const char *check_bearer(const struct visit *v);

/* A body that is empty or JSON, which is then in visit.json. */
enum err check_json(struct visit *v) MUST_CHECK;

#endif
