#include "commands.h"

#include <sysexits.h>

#include "json.h"
#include "table.h"

#define N(array) (sizeof(array) / sizeof(array[0]))

static const struct column member_columns[] = { { "MEMBER", "/email" }, { "ROLE", "/role" } };
static const struct column offer_columns[] = {
	{ "OFFERED TO", "/email" }, { "SINCE", "/created_at" }, { "ACCEPTED", "/accepted_at" },
};
static const struct column customer_columns[] = {
	{ "CUSTOMER", "/id" }, { "E-MAIL", "/email" }, { "DELETED", "/deleted" }, { "SYNCED", "/synced_at" },
};
static const struct column subscription_columns[] = {
	{ "SUBSCRIPTION", "/id" }, { "STATUS", "/status" }, { "PLAN", "/plan" }, { "PRICE", "/price" },
	{ "PERIOD ENDS", "/period_end" }, { "CANCELS", "/cancel_at" }, { "PAST DUE SINCE", "/past_due_since" },
	{ "COLLECTION PAUSED", "/pause_behavior" }, { "RESUMES", "/pause_resumes_at" }, { "SYNCED", "/synced_at" },
};
static const struct column invoice_columns[] = {
	{ "INVOICE", "/id" }, { "STATUS", "/status" }, { "TOTAL", "/total" }, { "CURRENCY", "/currency" },
	{ "ATTEMPTS", "/attempt_count" }, { "CREATED", "/created_at" },
};
static const struct column alert_columns[] = {
	{ "ALERT", "/kind" }, { "ABOUT", "/subject" }, { "RAISED", "/raised_at" }, { "CLEARED", "/cleared_at" },
};
static const struct column notification_columns[] = {
	{ "NOTICE", "/kind" }, { "FACT", "/fact" }, { "CREATED", "/created_at" }, { "SEEN", "/seen_at" },
};

static const struct section {
	const char		*pointer;
	const struct column	*columns;
	size_t			n;
} before[] = {
	{ "/members", member_columns, N(member_columns) }, { "/offers", offer_columns, N(offer_columns) },
	{ "/customers", customer_columns, N(customer_columns) },
	{ "/subscriptions", subscription_columns, N(subscription_columns) },
}, after[] = {
	{ "/invoices", invoice_columns, N(invoice_columns) }, { "/alerts", alert_columns, N(alert_columns) },
	{ "/notifications", notification_columns, N(notification_columns) },
};

static void
sections_print(mem_ctx *mem, struct json_object *tenant, const struct section *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct json_object	*rows = json_at(tenant, s[i].pointer);

		if (rows == NULL || json_object_array_length(rows) == 0)
			continue;
		printf("\n");
		table_print(mem, rows, s[i].columns, s[i].n);
	}
}

/* "allowed starter: past_due_grace, until 2026-07-29 10:00:00 (sub_1 past_due)". */
static void
entitlement_print(mem_ctx *mem, struct json_object *e)
{
	bool	allowed = json_true(e, "/allowed");

	printf("%s%s%s %s: %s", operator_colour(allowed ? COLOUR_GOOD : COLOUR_BAD), allowed ? "allowed" : "denied",
	    operator_colour(COLOUR_NONE), table_text(mem, json_at(e, "/plan")), table_text(mem, json_at(e, "/reason")));
	if (json_text(e, "/until"))
		printf(", until %s", table_text(mem, json_at(e, "/until")));
	if (json_text(e, "/subscription"))
		printf(" (%s %s)", json_text(e, "/subscription"), table_text(mem, json_at(e, "/status")));
	printf("\n");
}

/* Prints a change, and under it the resulting entitlement and the events behind it. */
static void
change_print(mem_ctx *mem, struct json_object *c)
{
	struct json_object	*events = json_at(c, "/events");

	printf("  %s  %s %s", table_text(mem, json_at(c, "/at")), json_text(c, "/what"),
	    table_text(mem, json_at(c, "/status")));
	if (json_text(c, "/plan"))
		printf(", %s", json_text(c, "/plan"));
	if (json_at(c, "/features"))
		printf(", with %s", table_text(mem, json_at(c, "/features")));
	if (json_text(c, "/cancel_at"))
		printf(", ends %s", table_text(mem, json_at(c, "/cancel_at")));
	if (json_text(c, "/by"))
		printf(", by %s: %s", table_text(mem, json_at(c, "/by")), table_text(mem, json_at(c, "/note")));
	printf("\n    = ");
	entitlement_print(mem, json_at(c, "/entitlement"));
	for (size_t i = 0; i < json_object_array_length(events); i++) {
		struct json_object	*e = json_object_array_get_idx(events, i);

		printf("    < %s %s\n", json_text(e, "/id"), table_text(mem, json_at(e, "/type")));
	}
}

static void
changes_print(mem_ctx *mem, struct json_object *changes)
{
	if (json_object_array_length(changes) == 0)
		return;
	printf("\nCHANGES, newest first (= resulting entitlement, < events behind the change)\n");
	for (size_t i = 0; i < json_object_array_length(changes); i++)
		change_print(mem, json_object_array_get_idx(changes, i));
}

static void
tenant_print(mem_ctx *mem, struct json_object *t)
{
	struct json_object	*override = json_at(t, "/override");

	printf("tenant %s, %s since %s\n", json_text(t, "/id"), json_text(t, "/status"),
	    table_text(mem, json_at(t, json_text(t, "/activated_at") ? "/activated_at" : "/created_at")));
	printf("at %s: ", table_text(mem, json_at(t, "/at")));
	entitlement_print(mem, json_at(t, "/entitlement"));
	printf("features: %s\n", table_text(mem, json_at(t, "/entitlement/features")));
	if (override)
		printf("override: %s, plan %s, until %s, by %s: %s\n", json_true(override, "/allowed") ? "allow" : "deny",
		    table_text(mem, json_at(override, "/plan")),
		    json_text(override, "/until") ? table_text(mem, json_at(override, "/until")) : "cleared",
		    table_text(mem, json_at(override, "/set_by")), table_text(mem, json_at(override, "/reason")));
	sections_print(mem, t, before, N(before));
	changes_print(mem, json_at(t, "/changes"));
	sections_print(mem, t, after, N(after));
}

int
tenant_explain(const struct operator *o)
{
	struct json_object	*tenants;
	enum err		e = db_service(operator_as(o, o->mem), &tenants, "ops.explain($1, $2)",
	    ARGS(TEXT(o->subject), TEXT(o->at)));

	if (e != OK)
		return operator_failed(o, e);
	if (json_object_array_length(tenants) == 0)
		return operator_refused(o, "no tenant matches %s", o->subject);
	if (o->json) {
		operator_json(tenants);
		return EX_OK;
	}
	for (size_t i = 0; i < json_object_array_length(tenants); i++) {
		if (i > 0)
			printf("\n");
		tenant_print(o->mem, json_object_array_get_idx(tenants, i));
	}
	return EX_OK;
}
