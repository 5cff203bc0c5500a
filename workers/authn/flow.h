/*
 * flow: a visit to another party, from the button to the way back. The browser carries state; what else the way back
 * needs is derived from it and from the flow cookie, so that nothing of it is stored.
 */
#ifndef TOLLGATE_FLOW_H
#define TOLLGATE_FLOW_H

#include "db.h"
#include "visit.h"

struct flow {
	struct secret	state;
};

/* A new one. The browser has a flow cookie from here on. */
enum err flow_new(struct visit *v, struct flow *out) MUST_CHECK;

/* state as the browser brings it back; false: it is malformed, or this browser has no flow cookie. */
bool flow_read(struct visit *v, const char *state, struct flow *out);

/* Ends it, with nothing come of it. An error is left alone: it ends by itself. */
void flow_close(struct visit *v, const struct flow *f);

/* What the database sees of state. */
struct db_arg flow_state(struct visit *v, const struct flow *f);

/* The verifier of PKCE (RFC 7636), and its challenge by S256. */
const char *flow_verifier(struct visit *v, const struct flow *f);
const char *flow_challenge(struct visit *v, const struct flow *f);

/* That the ID token is for this very visit. */
const char *flow_nonce(struct visit *v, const struct flow *f);

#endif
