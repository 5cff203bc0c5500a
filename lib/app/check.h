/* check: what must hold of a request that may change something, before its handler runs. */
#ifndef TOLLGATE_CHECK_H
#define TOLLGATE_CHECK_H

#include "visit.h"

/*
 * A form: from our own origin, urlencoded, with the token of its session or, on a visitor's page, of its flow cookie. A
 * visitor's form that cannot be parsed or whose token is too old is shown again with the reason: *answered.
 */
enum err check_form(struct visit *v, bool *answered) MUST_CHECK;

/* A call of our API by a script: see kind_api. *answered stays false. */
enum err check_api(struct visit *v, bool *answered) MUST_CHECK;

#endif
