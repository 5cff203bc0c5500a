#include "api_key.h"
#include "check.h"
#include "db.h"
#include "visit.h"

/* A body is read for those alone who send what is formed as a key. */
static enum err
check(struct visit *v, bool *answered)
{
	*answered = false;
	return api_key_bearer(v->q->mem, check_bearer(v)) == NULL ? ERR_AUTH : check_json(v);
}

static enum err
run(struct visit *v)
{
	const char	*bearer = api_key_bearer(v->q->mem, check_bearer(v));

	return bearer == NULL ? ERR_AUTH : v->route->key(v, db_as_key(v->q->mem, v->app->db, bearer));
}

const struct route_kind kind_key = { .json = true, .bearer = true, .check = check, .run = run };
