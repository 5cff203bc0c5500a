/*
 * upkeep: what the account at Stripe should have, compared with what it has and, when asked, mended: the webhook endpoint,
 * prices, meters and the portal's configuration, as the configuration file describes them.
 */
#ifndef TOLLGATE_PROVISIONING_H
#define TOLLGATE_PROVISIONING_H

#include "operator.h"

enum change {
	CHANGE_CREATE,
	CHANGE_UPDATE,
	CHANGE_RETIRE,
	CHANGE_BY_HAND,		/* no call of ours can do it */
};

struct provisioning {
	const struct operator	*o;
	bool			apply;
	unsigned		changes;
	unsigned		left;		/* of them, not mended */
	struct json_object	**prices;	/* of each plan: Stripe's price object, NULL while there is none */
};

/*
 * Tells one difference. what: "webhook endpoint"; name: which; why: a sentence or NULL; fields: of desired_differences(),
 * or NULL. True when it is to be mended now.
 */
bool provisioning_differs(struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields);

/* Each looks after one kind of object. Prices go before the portal, which offers them. */
enum err endpoint_keep(struct provisioning *pr) MUST_CHECK;
enum err prices_keep(struct provisioning *pr) MUST_CHECK;
enum err meters_keep(struct provisioning *pr) MUST_CHECK;
enum err portal_keep(struct provisioning *pr) MUST_CHECK;

/* The commands. Exit code 1: something differs, or still does. */
int provisioning_diff(const struct operator *o);
int provisioning_apply(const struct operator *o);

#endif
