/*
 * upkeep: what the account at Stripe should have, compared with what it has and, when asked, mended: the webhook endpoint,
 * prices, meters and the portal's configuration, as the configuration file describes them.
 */
#ifndef TOLLGATE_UPKEEP_H
#define TOLLGATE_UPKEEP_H

#include "operator.h"

enum change {
	CHANGE_CREATE,
	CHANGE_UPDATE,
	CHANGE_RETIRE,
	CHANGE_BY_HAND,		/* no call of ours can do it */
};

struct upkeep {
	const struct operator	*o;
	bool			apply;
	unsigned		changes;
	unsigned		left;		/* of them, not mended */
	struct json_object	**prices;	/* of each plan: Stripe's price object, NULL while there is none */
};

/*
 * Tells one difference. what: "webhook endpoint"; name: which; why: a sentence or NULL; fields: of wanted_differences(),
 * or NULL. True when it is to be mended now.
 */
bool upkeep_differs(struct upkeep *u, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields);

/* Each looks after one kind of object. Prices go before the portal, which offers them. */
enum err endpoint_keep(struct upkeep *u) MUST_CHECK;
enum err prices_keep(struct upkeep *u) MUST_CHECK;
enum err meters_keep(struct upkeep *u) MUST_CHECK;
enum err portal_keep(struct upkeep *u) MUST_CHECK;

/* The commands. Exit code 1: something differs, or still does. */
int upkeep_diff(const struct operator *o);
int upkeep_apply(const struct operator *o);

#endif
