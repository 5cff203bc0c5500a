/* resume: lets a subscription go on that Stripe has paused at the end of a trial without a card. */
#include "billing.h"
#include "json.h"
#include "permit.h"
#include "secret.h"
#include "stripe.h"
#include "tenant.h"

/* ERR_CONFLICT: Stripe has kept a failure under this key. */
static enum err
resume_ask(struct visit *v, const char *id, const char *key)
{
	const char		*path = mem_printf(v->q->mem, "/v1/subscriptions/%s/resume", id);
	struct json_object	*resumed;
	struct stripe		*stripe;

	TRY(permit_take(v, &stripe));
	return stripe_call(stripe, v->q->mem, "POST", path, "billing_cycle_anchor=now", key, &resumed);
}

/* Two clicks have one key, so that they make one invoice. */
static enum err
resume_begin(struct visit *v, struct db_user *me, const char *tenant)
{
	struct json_object	*paused;
	struct secret		other;
	const char		*id;
	enum err		e;

	TRY(db_user(me, &paused, "api.paused_subscription($1::uuid)", ARGS(TEXT(tenant))));
	id = json_text(paused, "/subscription");
	if (id == NULL)
		return OK;	/* it goes on already */
	e = resume_ask(v, id, json_text(paused, "/key"));
	if (e == ERR_CONFLICT) {
		TRY(secret_random(&other));
		e = resume_ask(v, id, secret_hex(v->q->mem, &other));
	}
	TRY(db_user(me, NULL, "api.fetch_subscription($1)", ARGS(TEXT(id))));
	return e;
}

static enum err
resume(struct visit *v, struct db_user *me)
{
	const char	*tenant;
	bool		answered;
	enum err	e;

	TRY(tenant_of_form(v, me, "/settings/billing", &tenant, &answered));
	if (answered)
		return OK;
	e = resume_begin(v, me, tenant);
	if (e == OK)
		return http_redirect(v->r, visit_path(v, visit_here(v, "/settings/billing")));
	if (e == ERR_LIMIT)
		return billing_again(v, 429, "fault_calls");
	return err_info(e)->status >= 500 || e == ERR_CONFLICT ? billing_again(v, 503, "fault_resume") : e;
}

const struct route resume_routes[] = {
	USER("POST", "/settings/billing/resume", resume),
	{ 0 }
};
