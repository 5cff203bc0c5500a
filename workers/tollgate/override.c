#include <stdlib.h>
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"

/* The id of the only tenant that matches the argument; else NULL, and *code is the exit status. */
static const char *
tenant_find(const struct operator *o, int *code)
{
	struct json_object	*ids;
	enum err		e = db_service(operator_as(o, o->mem), &ids, "ops.find_tenants($1)", ARGS(TEXT(o->subject)));

	if (e != OK)
		*code = operator_failed(o, e);
	else if (json_object_array_length(ids) == 0)
		*code = operator_refused(o, "no tenant matches %s", o->subject);
	else if (json_object_array_length(ids) > 1)
		*code = operator_refused(o, "%s matches %zu tenants: give the ID of one: %s", o->subject,
		    json_object_array_length(ids), table_text(o->mem, ids));
	else
		return json_object_get_string(json_object_array_get_idx(ids, 0));
	return NULL;
}

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
	tenant = tenant_find(o, &code);
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
	const char		*tenant = tenant_find(o, &code);
	enum err		e;

	if (tenant == NULL)
		return code;
	e = db_service(operator_as(o, o->mem), &entitlement, "ops.end_override($1::uuid, $2)",
	    ARGS(TEXT(tenant), TEXT(o->user)));
	return answer(o, tenant, e, entitlement);
}
