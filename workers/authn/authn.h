/* authn: the route tables of this program's files, and what they share. */
#ifndef TOLLGATE_AUTHN_H
#define TOLLGATE_AUTHN_H

#include "config.h"
#include "db.h"
#include "issuer.h"
#include "resource.h"
#include "route.h"

struct flow;
struct visit;

/* What this program's resource has opened: hangs on the worker. */
struct authn {
	struct issuer	**issuers;	/* in the order of the configuration's providers */
};

extern const struct resource resource_issuers;
extern const struct route callback_routes[], connect_routes[], connections_routes[], passkey_routes[],
	passkeys_routes[], start_routes[];

/* The provider that the path names, and its issuer; false: there is none. */
bool provider_asked(struct visit *v, const struct config_provider **p, struct issuer **i);

/* The same for a name. */
bool provider_named(struct visit *v, const char *name, const struct config_provider **p, struct issuer **i);

/* Opens or ends the operator's alerts of a provider, by how its description and its keys were last fetched. */
void provider_report(struct visit *v, const struct config_provider *p, struct issuer *i);

/*
 * Where it asks its users, for the visit f. ERR_UNAVAILABLE: it cannot be reached, or is not as it should be, or too
 * many threads wait for issuers already; *why says it. Reports how that went.
 */
enum err provider_page(struct visit *v, const struct config_provider *p, struct issuer *i, const struct flow *f,
    const char **url, const char **why) MUST_CHECK;

/* How many threads may wait for other parties at a time, so that one is left for other pages. */
int provider_calls(const struct visit *v);

/* Where it sends its users back to. */
const char *provider_callback(struct visit *v, const struct config_provider *p);

/*
 * The one page of all that went wrong with another party, whatever it was. reason: for the log. status: 400, or 503
 * when the other party cannot be reached.
 */
enum err failed(struct visit *v, int status, const struct config_provider *p, const char *reason) MUST_CHECK;

#endif
