#include "flow.h"

#include <string.h>

#include "identity.h"
#include "session.h"

enum err
flow_new(struct visit *v, struct flow *out)
{
	TRY(visit_form(v));
	return secret_random(&out->state);
}

bool
flow_read(struct visit *v, const char *state, struct flow *out)
{
	return v->has_flow && session_read(state, &out->state);
}

void
flow_close(struct visit *v, const struct flow *f)
{
	(void)!db_visitor(db_as_visitor(v->q->mem, v->app->db), NULL, "api.close_flow($1, $2)",
	    ARGS(flow_state(v, f), identity_flow(v)));
}

struct db_arg
flow_state(struct visit *v, const struct flow *f)
{
	return identity_digest(v, &f->state);
}

const char *
flow_verifier(struct visit *v, const struct flow *f)
{
	return session_key(v->q->mem, &v->flow, "pkce1", secret_base64url(v->q->mem, &f->state));
}

const char *
flow_challenge(struct visit *v, const struct flow *f)
{
	const char	*verifier = flow_verifier(v, f);
	struct secret	digest = secret_sha256("", verifier, strlen(verifier));

	return secret_base64url(v->q->mem, &digest);
}

const char *
flow_nonce(struct visit *v, const struct flow *f)
{
	return session_key(v->q->mem, &v->flow, "nonce1", secret_base64url(v->q->mem, &f->state));
}
