/*
 * provisioning: compares the webhook endpoint, prices, meters and customer portal's configuration at Stripe with our
 * configuration file, and changes them on `apply`.
 */
#ifndef TOLLGATE_PROVISIONING_H
#define TOLLGATE_PROVISIONING_H

#include "operator.h"

enum change {
	CHANGE_CREATE,
	CHANGE_UPDATE,
	CHANGE_RETIRE,
	CHANGE_BY_HAND,		/* the API cannot do it, or only the operator may decide it */
};

struct provisioning {
	const struct operator	*o;
	bool			apply;
	bool			check;		/* says what differs as a fault, and what to do about it */
	unsigned		changes;
	unsigned		left;		/* of them, not made by this run */
	struct json_object	*known;		/* {plan: the price's id or null}, as the database has them */
	struct json_object	**prices;	/* by plan: the price object at Stripe, or NULL */
	struct json_object	*meters;	/* {event_name: id} of the meters at Stripe */
};

/* A price as the configuration says it should be: of a plan, or of what is sold beside it by a meter. */
struct wanted_price {
	const char		*plan;
	const char		*meter;		/* NULL: of the plan itself */
	const char		*price;		/* its ID, or "" */
	const char		*lookup_key;	/* where there is no ID */
	const char		*product;	/* ID of the product that it is made for */
	const char		*called;	/* the product's name */
	struct json_object	*desired;	/* what is compared; a "product" in it must be the price's */
	struct json_object	*made;		/* what a new one is made of */
};

/*
 * Prints one difference. what: "webhook endpoint"; name: which one; why: a text or NULL; fields: the differences of
 * desired.h, or NULL. True when the caller is to make the change now.
 */
bool provisioning_differs(struct provisioning *pr, enum change c, const char *what, const char *name, const char *why,
    struct json_object *fields);

/*
 * Begins, with the plans of the database. A plan that migrate has not written yet could not learn its price: with apply
 * ERR_CLOSED, before a price is made.
 */
enum err plans_check(struct provisioning *pr) MUST_CHECK;

/* Compares a price, makes it on `apply`, and stores its id. *price NULL: there is none yet. */
enum err wanted_keep(struct provisioning *pr, const struct wanted_price *w, struct json_object **price) MUST_CHECK;

/*
 * Each handles one kind of object. Prices go before the portal, which offers them; a metered price goes after its meter
 * and its plan's price, whose currency it has.
 */
enum err endpoint_keep(struct provisioning *pr) MUST_CHECK;
enum err price_keep(struct provisioning *pr, size_t plan) MUST_CHECK;
enum err meters_keep(struct provisioning *pr) MUST_CHECK;
enum err metered_keep(struct provisioning *pr, size_t quota) MUST_CHECK;
enum err portal_keep(struct provisioning *pr) MUST_CHECK;

/* What `check --live` asks of Stripe: each plan's price and the portal. Prints a line for each. */
int provisioning_check(const struct operator *o);

/* The commands. Exit status 1: something differs, or still does after apply. */
int provisioning_diff(const struct operator *o);
int provisioning_apply(const struct operator *o);

#endif
