#include "report.h"

#include <string.h>

#include "json.h"

/* Refusals that the caller answers itself: they are no fault of the operator's. NULL: any. */
static const struct expected {
	const char	*end;		/* of the path */
	const char	*code, *param;
} expected[] = {
	{ "/expire", NULL, NULL },					/* it was paid, or has expired meanwhile */
	{ "/v1/checkout/sessions", "resource_missing", "customer" },	/* deleted at Stripe: another is made */
	{ "/v1/checkout/sessions", "email_invalid", NULL },		/* the visitor's own fault */
	{ "/v1/customers", "email_invalid", NULL },
};

static bool
ends_with(const char *s, const char *end)
{
	size_t	n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static bool
is_same(const char *wanted, const char *given)
{
	return wanted == NULL || (given != NULL && strcmp(wanted, given) == 0);
}

static bool
is_expected(const struct stripe_refused *r)
{
	for (size_t i = 0; i < sizeof(expected) / sizeof(*expected); i++) {
		if (ends_with(r->path, expected[i].end) && is_same(expected[i].code, r->code) &&
		    is_same(expected[i].param, r->param))
			return true;
	}
	return false;
}

/* An alert that cannot be raised is raised by the next refusal; the log has this one. */
static void
report_tell(void *db, mem_ctx *mem, const struct stripe_refused *r)
{
	struct json_object	*doc = json_new(mem);

	if (is_expected(r))
		return;
	json_put(doc, "code", r->code);
	json_put(doc, "param", r->param);
	json_put(doc, "message", r->sentence);
	json_put(doc, "request", r->request);
	json_put(doc, "request_log_url", r->page);
	(void)!db_visitor(db_as_visitor(mem, db), NULL, "api.report_refusal($1, $2::jsonb)",
	    ARGS(TEXT(r->call), TEXT(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN))));
}

struct stripe_report
report_of(struct db *db)
{
	return db == NULL ? (struct stripe_report){ 0 } : (struct stripe_report){ report_tell, db };
}
