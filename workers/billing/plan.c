/* plan: what the user's tenant has, as a JSON API. */
#include "answer.h"
#include "billing.h"

static enum err
plan(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*tenant;

	TRY(visit_tenant(v, &tenant));
	TRY(db_user(me, &doc, "api.my_plan($1::uuid)", ARGS(TEXT(tenant))));
	return answer_json(v, 200, doc);
}

const struct route plan_routes[] = {
	API("GET", "/api/billing/plan", plan),
	{ 0 }
};
