/* plans: what a form offers for sale, in the words of a page. */
#ifndef TOLLGATE_PLANS_H
#define TOLLGATE_PLANS_H

#include "visit.h"

/*
 * Of the plans that api.offered_plans() answers, those that this program is configured with. chosen: the id of the one
 * that was chosen before, or NULL; it has the member "chosen", as has the only one. A feature becomes {"called"}, the
 * name of its text, or {"word"} where the catalogue has no text for it. A meter is called as meters.h says, and has
 * "each" where its price is of one unit.
 */
struct json_object *plans_offered(struct visit *v, struct json_object *offered, const char *chosen);

/* As api.offered_plans() answers, with no more than the configuration says. */
struct json_object *plans_configured(struct visit *v);

/* Whether a form may ask for the plan with this id: it is configured, and is paid for. */
bool plans_sell(const struct config *c, const char *id);

#endif
