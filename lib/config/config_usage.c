#include "private/config_reader.h"

#include <string.h>

static const char *
check_kind(const char *s)
{
	static const char *const	kinds[] = { "user", "tenant", "provider", "all" };

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(s, kinds[i]) == 0)
			return NULL;
	}
	return "must be user, tenant, provider or all";
}

/* A decimal above 0, as Stripe takes it. */
static const char *
check_unit_amount(const char *s)
{
	size_t	whole = strspn(s, "0123456789"), part = s[whole] == '.' ? strspn(s + whole + 1, "0123456789") : 0;
	bool	fits = whole >= 1 && whole <= 8 && part <= 12 && (s[whole] == '\0' || part > 0) &&
	    s[whole + part + (part > 0)] == '\0';

	if (*s == '\0')
		return NULL;
	return fits && strpbrk(s, "123456789") != NULL ? NULL :
	    "must be a decimal above 0 with at most 12 digits behind the point, as in \"0.2\"";
}

#define TEXT(p, type, member, otherwise, test) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct type, member), .text = otherwise, .check = test }
#define ONCE(p, type, member, otherwise, test) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct type, member), .text = otherwise, .check = test, .unique = true }
#define PART(p, type, member, otherwise, test) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct type, member), .text = otherwise, .check = test, .joint = true }
#define INT(p, type, member, otherwise, least, most) { .path = p, .kind = KIND_NUMBER, \
	.offset = offsetof(struct type, member), .number = otherwise, .min = least, .max = most }

enum { MOST = 2000000000 };

static const struct config_key quota_keys[] = {
	PART("quotas.plan", config_quota, plan, NULL, config_check_name),
	PART("quotas.meter", config_quota, meter, NULL, config_check_name),
	INT("quotas.included", config_quota, included, 0, 0, MOST),
	{ .path = "quotas.sold", .kind = KIND_SWITCH, .offset = offsetof(struct config_quota, sold) },
	ONCE("quotas.price", config_quota, price, "", config_check_price),
	ONCE("quotas.lookup_key", config_quota, lookup_key, "", NULL),
	TEXT("quotas.unit_amount", config_quota, unit_amount, "", check_unit_amount),
	INT("quotas.most", config_quota, most, 0, 0, MOST),
	INT("quotas.member_most", config_quota, member_most, 0, 0, MOST),
	{ 0 }
};

static const struct config_key rate_keys[] = {
	PART("rates.name", config_rate, name, NULL, config_check_name),
	PART("rates.plan", config_rate, plan, "", config_check_name_or_none),
	TEXT("rates.meter", config_rate, meter, "", config_check_name_or_none),
	INT("rates.allowed", config_rate, allowed, 10, 1, 200),
	INT("rates.seconds", config_rate, seconds, 60, 1, 31 * 86400),
	{ 0 }
};

static const struct config_key cap_keys[] = {
	PART("caps.kind", config_cap, kind, NULL, check_kind),
	PART("caps.plan", config_cap, plan, "", config_check_name_or_none),
	PART("caps.provider", config_cap, provider, "", config_check_name_or_none),
	INT("caps.amount", config_cap, amount, 0, 0, MOST),
	{ 0 }
};

static const struct config_key cost_keys[] = {
	PART("costs.provider", config_cost, provider, "", config_check_name_or_none),
	PART("costs.model", config_cost, model, NULL, config_check_filled),
	PART("costs.class", config_cost, class, "unit", config_check_name),
	{ .path = "costs.micros", .kind = KIND_LARGE, .offset = offsetof(struct config_cost, micros),
	    .max = INT64_C(1000000000000) },
	{ 0 }
};

/* "0.20" as "0.2", which Stripe answers. */
static const char *
decimal_plain(mem_ctx *ctx, const char *s)
{
	size_t	n = strlen(s);

	if (strchr(s, '.') == NULL)
		return s;
	while (s[n - 1] == '0')
		n--;
	return mem_copy(ctx, s, s[n - 1] == '.' ? n - 1 : n);
}

/* What is wrong with the price of a quota, or NULL. */
static const char *
quota_fault(const struct config_quota *q)
{
	if (!q->sold)
		return *q->price || *q->lookup_key || *q->unit_amount ? "has a price, and is not sold" : NULL;
	if (*q->price == '\0' && *q->lookup_key == '\0')
		return "is sold without a price: give it price, or lookup_key and unit_amount";
	if (*q->price && *q->lookup_key)
		return "has both price and lookup_key: leave one out";
	if (*q->lookup_key && *q->unit_amount == '\0')
		return "has a lookup_key, but no unit_amount";
	return *q->price && *q->unit_amount ? "has both price and unit_amount: Stripe says what the price costs" : NULL;
}

static void
quota_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	struct config_quota	*q = item;
	const char		*wrong = quota_fault(q);

	if (wrong)
		config_fault(r, at, "quotas", "%s", wrong);
	q->unit_amount = decimal_plain(r->ctx, q->unit_amount);
	if (q->most != 0 && q->most < q->included)
		config_fault(r, at, "quotas.most", "is below quotas.included");
	if (!q->sold && q->most != 0 && q->most != q->included)
		config_fault(r, at, "quotas.most", "has no effect: what is beyond quotas.included is not sold");
}

static void
cap_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	const struct config_cap	*c = item;
	bool			provider = strcmp(c->kind, "provider") == 0, all = strcmp(c->kind, "all") == 0;

	if (provider != (*c->provider != '\0'))
		config_fault(r, at, "caps.provider", "%s", provider ? "is missing" : "has no effect in a cap of this kind");
	if ((provider || all) && *c->plan)
		config_fault(r, at, "caps.plan", "has no effect in a cap of this kind");
}

const struct config_groups config_quotas = {
	quota_keys, sizeof(struct config_quota), offsetof(struct config, n_quotas), quota_check,
	"must be a list of { plan = \"starter\"; meter = \"tokens\"; included = 1000; }", false
};
const struct config_groups config_rates = {
	rate_keys, sizeof(struct config_rate), offsetof(struct config, n_rates), NULL,
	"must be a list of { name = \"minute\"; allowed = 10; seconds = 60; }", false
};
const struct config_groups config_caps = {
	cap_keys, sizeof(struct config_cap), offsetof(struct config, n_caps), cap_check,
	"must be a list of { kind = \"tenant\"; amount = 100; }", false
};
const struct config_groups config_costs = {
	cost_keys, sizeof(struct config_cost), offsetof(struct config, n_costs), NULL,
	"must be a list of { model = \"mails\"; micros = 100; }", false
};

/* A name that "" may stand for is of every plan or meter. */
static void
names_check(struct reader *r, const config_t *tree, const char *list, size_t n, const char *plan, const char *meter)
{
	const config_setting_t	*at = config_setting_get_elem(config_lookup(tree, list), (unsigned)n);

	if (plan && *plan && config_plan(r->out, plan) == NULL)
		config_fault(r, at, mem_printf(r->ctx, "%s.plan", list), "\"%s\" is not one of plans", plan);
	if (meter && *meter && config_meter(r->out, meter) == NULL)
		config_fault(r, at, mem_printf(r->ctx, "%s.meter", list), "\"%s\" is not one of meters", meter);
}

/* The rates of one name share a window (usage.take_rates()): what it counts is of one meter, or of every one. */
static void
rate_check(struct reader *r, const config_t *tree, size_t n)
{
	const struct config_rate	*rates = r->out->rates;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(rates[i].name, rates[n].name) != 0 || strcmp(rates[i].meter, rates[n].meter) == 0)
			continue;
		config_fault(r, config_setting_get_elem(config_lookup(tree, "rates"), (unsigned)n), "rates.meter",
		    "\"%s\" is not \"%s\", which another rate of the name \"%s\" has", rates[n].meter, rates[i].meter,
		    rates[n].name);
		return;
	}
}

static bool
plans_have(const struct config *c, const char *price, const char *lookup_key)
{
	for (size_t i = 0; i < c->n_plans; i++) {
		if ((*price && strcmp(c->plans[i].price, price) == 0) ||
		    (*lookup_key && strcmp(c->plans[i].lookup_key, lookup_key) == 0))
			return true;
	}
	return false;
}

/* What is sold beside a plan is in the plan's currency, and in its period, which the ledger's is only for a month. */
static void
sold_check(struct reader *r, const config_t *tree, size_t n)
{
	const struct config_quota	*q = &r->out->quotas[n];
	const struct config_plan	*p = config_plan(r->out, q->plan);
	const config_setting_t		*at = config_setting_get_elem(config_lookup(tree, "quotas"), (unsigned)n);

	if (!q->sold || p == NULL)
		return;
	if (p->free)
		config_fault(r, at, "quotas.sold", "has no effect: plan \"%s\" is free", p->id);
	else if (strcmp(p->interval, "month") != 0)
		config_fault(r, at, "quotas.sold", "is for plans that are paid by the month, and \"%s\" is not", p->id);
	else if (*q->lookup_key && *p->currency == '\0')
		config_fault(r, at, "quotas.lookup_key", "needs a plan with amount and currency: give \"%s\" them, or give the "
		    "quota a price", p->id);
	if (plans_have(r->out, q->price, q->lookup_key))
		config_fault(r, at, "quotas", "has the price or lookup_key of a plan");
}

/* At an end at once Stripe's portal does not invoice what meters counted since the last invoice. */
static void
portal_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;
	bool			sold = false;

	for (size_t i = 0; i < c->n_quotas; i++)
		sold = sold || c->quotas[i].sold;
	if (sold && (r->needs & NEED_PROVISIONING) && *c->portal.name && strcmp(c->portal.cancel, "immediately") == 0)
		config_fault(r, config_lookup(tree, "portal.cancel"), "portal.cancel", "must not be immediately where quotas "
		    "are sold: what was used since the last invoice would never be billed");
}

void
config_usage_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;

	if (r->faults || (r->needs & (NEED_USAGE | NEED_PLANS)) != (NEED_USAGE | NEED_PLANS))
		return;
	for (size_t i = 0; i < c->n_quotas; i++) {
		names_check(r, tree, "quotas", i, c->quotas[i].plan, c->quotas[i].meter);
		sold_check(r, tree, i);
	}
	for (size_t i = 0; i < c->n_rates; i++) {
		names_check(r, tree, "rates", i, c->rates[i].plan, c->rates[i].meter);
		rate_check(r, tree, i);
	}
	for (size_t i = 0; i < c->n_caps; i++)
		names_check(r, tree, "caps", i, c->caps[i].plan, NULL);
	for (size_t i = 0; i < c->n_costs; i++) {
		if (*c->costs[i].provider == '\0' && config_meter(c, c->costs[i].model) == NULL)
			config_fault(r, config_setting_get_elem(config_lookup(tree, "costs"), (unsigned)i), "costs.model",
			    "\"%s\" is not one of meters, and there is no provider", c->costs[i].model);
	}
	portal_check(r, tree);
}
