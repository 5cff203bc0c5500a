#include <stdlib.h>
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"

static int
answer(const struct operator *o, const char *tenant, enum err e, struct json_object *entitlement)
{
	if (e == ERR_INVALID && o->plan)
		return operator_refused(o, "there is no plan %s%s", o->plan,
		    o->until ? ", or --until is not a time in the future" : "");
	if (e == ERR_INVALID && o->until)
		return operator_refused(o, "--until is not a time in the future");
	if (e != OK)
		return operator_failed(o, e);
	if (o->json) {
		operator_json(entitlement);
		return EX_OK;
	}
	printf("tenant %s is now %s: %s", tenant, json_true(entitlement, "/allowed") ? "allowed" : "denied",
	    table_text(o->mem, json_at(entitlement, "/reason")));
	if (json_text(entitlement, "/until"))
		printf(", until %s", table_text(o->mem, json_at(entitlement, "/until")));
	printf("\n");
	return EX_OK;
}

static int
override_put(const struct operator *o, bool allowed)
{
	int			code = EX_USAGE;
	struct json_object	*entitlement;
	const char		*tenant;
	enum err		e;

	if (o->reason == NULL || *o->reason == '\0') {
		operator_refused(o, "--reason TEXT is required");
		return EX_USAGE;
	}
	tenant = operator_tenant(o, &code);
	if (tenant == NULL)
		return code;
	e = db_service(operator_as(o, o->mem), &entitlement,
	    "ops.put_override($1::uuid, $2::boolean, $3, ops.time_of($4, 1), $5, $6)", ARGS(TEXT(tenant),
	    BOOL(allowed), TEXT(o->plan), TEXT(o->until), TEXT(o->reason), TEXT(o->user)));
	return answer(o, tenant, e, entitlement);
}

int
override_allow(const struct operator *o)
{
	return override_put(o, true);
}

int
override_deny(const struct operator *o)
{
	return override_put(o, false);
}

int
override_clear(const struct operator *o)
{
	int			code = EXIT_FAILURE;
	struct json_object	*entitlement;
	const char		*tenant = operator_tenant(o, &code);
	enum err		e;

	if (tenant == NULL)
		return code;
	e = db_service(operator_as(o, o->mem), &entitlement, "ops.end_override($1::uuid, $2)",
	    ARGS(TEXT(tenant), TEXT(o->user)));
	return answer(o, tenant, e, entitlement);
}
