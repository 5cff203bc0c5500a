/* signup: the route tables of this program's files, and functions they share. */
#ifndef TOLLGATE_SIGNUP_H
#define TOLLGATE_SIGNUP_H

#include "db.h"
#include "route.h"
#include "visit.h"

extern const struct route form_routes[], continue_routes[], welcome_routes[];

/* What a draft is found by: an address and a plan in this browser, or a mailed link. */
struct wish {
	const char	*email, *plan;
	struct db_arg	link;		/* digest of its token; unused when email is given */
};

/*
 * Makes or finds the draft and answers with the redirect to Stripe's page, or with the page that says that the draft
 * waits. ERR_NOT_FOUND: the link is not good. ERR_BAD_REQUEST: Stripe does not take the address. For other errors see
 * draft_again().
 */
enum err draft_begin(struct visit *v, struct db_visitor *me, const struct wish *wish) MUST_CHECK;

/*
 * What follows draft_begin(): after an error the form is shown again, with v->status and v->fault, instead of an error
 * page, because the same form may be sent again and nothing was charged. That includes a refusal of our key or our
 * request by Stripe. Any other error is returned.
 */
enum err draft_again(struct visit *v, struct db_visitor *me, enum err e, visitor_handler *show) MUST_CHECK;

#endif
