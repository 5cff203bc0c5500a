#include "identity.h"

#include "json.h"
#include "session.h"

struct db_user *
identity_user(struct visit *v)
{
	return db_as_user(v->q->mem, v->app->db, session_bearer(v->q->mem, &v->session.token));
}

bool
identity_is_member(struct visit *v)
{
	struct json_object	*known = NULL;

	return v->has_session && db_user(identity_user(v), &known, "api.signed_in()", NO_ARGS) == OK &&
	    json_true(known, "");
}

struct db_arg
identity_digest(struct visit *v, const struct secret *token)
{
	struct secret	digest = session_digest(token);

	return BYTES(mem_copy(v->q->mem, digest.bytes, SECRET_SIZE), SECRET_SIZE);
}

bool
identity_link(struct visit *v, const char *token, struct db_arg *out)
{
	struct secret	bytes;

	if (!session_read(token, &bytes))
		return false;
	*out = identity_digest(v, &bytes);
	return true;
}

struct db_arg
identity_flow(struct visit *v)
{
	return v->has_flow ? identity_digest(v, &v->flow) : SQL_NULL;
}
