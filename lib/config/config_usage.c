#include "private/config_reader.h"

#include <string.h>

static const char *
check_word(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s) ? NULL :
	    "must be lower-case letters, digits and _";
}

static const char *
check_word_or_none(const char *s)
{
	return *s ? check_word(s) : NULL;
}

static const char *
check_filled(const char *s)
{
	return *s ? NULL : "is empty";
}

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

#define TEXT(p, type, member, otherwise, test) { .path = p, .kind = KIND_TEXT, \
	.offset = offsetof(struct type, member), .text = otherwise, .check = test }
#define INT(p, type, member, otherwise, least, most) { .path = p, .kind = KIND_NUMBER, \
	.offset = offsetof(struct type, member), .number = otherwise, .min = least, .max = most }

enum { MOST = 2000000000 };

static const struct config_key quota_keys[] = {
	TEXT("quotas.plan", config_quota, plan, NULL, check_word),
	TEXT("quotas.meter", config_quota, meter, NULL, check_word),
	INT("quotas.included", config_quota, included, 0, 0, MOST),
	{ .path = "quotas.sold", .kind = KIND_SWITCH, .offset = offsetof(struct config_quota, sold) },
	INT("quotas.most", config_quota, most, 0, 0, MOST),
	INT("quotas.member_most", config_quota, member_most, 0, 0, MOST),
	{ 0 }
};

static const struct config_key rate_keys[] = {
	TEXT("rates.name", config_rate, name, NULL, check_word),
	TEXT("rates.plan", config_rate, plan, "", check_word_or_none),
	TEXT("rates.meter", config_rate, meter, "", check_word_or_none),
	INT("rates.allowed", config_rate, allowed, 10, 1, 200),
	INT("rates.seconds", config_rate, seconds, 60, 1, 31 * 86400),
	{ 0 }
};

static const struct config_key cap_keys[] = {
	TEXT("caps.kind", config_cap, kind, NULL, check_kind),
	TEXT("caps.plan", config_cap, plan, "", check_word_or_none),
	TEXT("caps.provider", config_cap, provider, "", check_word_or_none),
	INT("caps.amount", config_cap, amount, 0, 0, MOST),
	{ 0 }
};

static const struct config_key cost_keys[] = {
	TEXT("costs.provider", config_cost, provider, "", check_word_or_none),
	TEXT("costs.model", config_cost, model, NULL, check_filled),
	TEXT("costs.class", config_cost, class, "unit", check_word),
	INT("costs.micros", config_cost, micros, 0, 0, MOST),
	{ 0 }
};

static void
quota_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	const struct config_quota	*q = item;

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

static bool
is_meter(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->n_meters; i++) {
		if (strcmp(c->meters[i].event_name, name) == 0)
			return true;
	}
	return *name == '\0';
}

/* A name that "" may stand for is of every plan or meter. */
static void
names_check(struct reader *r, const config_t *tree, const char *list, size_t n, const char *plan, const char *meter)
{
	const config_setting_t	*at = config_setting_get_elem(config_lookup(tree, list), (unsigned)n);

	if (plan && *plan && config_plan(r->out, plan) == NULL)
		config_fault(r, at, mem_printf(r->ctx, "%s.plan", list), "\"%s\" is not one of plans", plan);
	if (meter && !is_meter(r->out, meter))
		config_fault(r, at, mem_printf(r->ctx, "%s.meter", list), "\"%s\" is not one of meters", meter);
}

/* Two rows that say what only one may. */
static void
twice_check(struct reader *r, const config_t *tree, const char *list, size_t n, bool twice)
{
	if (twice)
		config_fault(r, config_setting_get_elem(config_lookup(tree, list), (unsigned)n), list, "says this twice");
}

static bool
is_same(const char *a, const char *b, const char *c, const char *d, const char *e, const char *f)
{
	return strcmp(a, b) == 0 && strcmp(c, d) == 0 && strcmp(e, f) == 0;
}

static void
pairs_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;

	for (size_t i = 0; i < c->n_quotas; i++) {
		for (size_t j = 0; j < i; j++)
			twice_check(r, tree, "quotas", i, is_same(c->quotas[i].plan, c->quotas[j].plan, c->quotas[i].meter,
			    c->quotas[j].meter, "", ""));
	}
	for (size_t i = 0; i < c->n_rates; i++) {
		for (size_t j = 0; j < i; j++)
			twice_check(r, tree, "rates", i, is_same(c->rates[i].name, c->rates[j].name, c->rates[i].plan,
			    c->rates[j].plan, "", ""));
	}
	for (size_t i = 0; i < c->n_caps; i++) {
		for (size_t j = 0; j < i; j++)
			twice_check(r, tree, "caps", i, is_same(c->caps[i].kind, c->caps[j].kind, c->caps[i].plan,
			    c->caps[j].plan, c->caps[i].provider, c->caps[j].provider));
	}
	for (size_t i = 0; i < c->n_costs; i++) {
		for (size_t j = 0; j < i; j++)
			twice_check(r, tree, "costs", i, is_same(c->costs[i].provider, c->costs[j].provider, c->costs[i].model,
			    c->costs[j].model, c->costs[i].class, c->costs[j].class));
	}
}

void
config_usage_check(struct reader *r, const config_t *tree)
{
	const struct config	*c = r->out;

	if (r->faults || (r->needs & (NEED_USAGE | NEED_PLANS)) != (NEED_USAGE | NEED_PLANS))
		return;
	for (size_t i = 0; i < c->n_quotas; i++)
		names_check(r, tree, "quotas", i, c->quotas[i].plan, c->quotas[i].meter);
	for (size_t i = 0; i < c->n_rates; i++)
		names_check(r, tree, "rates", i, c->rates[i].plan, c->rates[i].meter);
	for (size_t i = 0; i < c->n_caps; i++)
		names_check(r, tree, "caps", i, c->caps[i].plan, NULL);
	for (size_t i = 0; i < c->n_costs; i++) {
		if (*c->costs[i].provider == '\0' && !is_meter(c, c->costs[i].model))
			config_fault(r, config_setting_get_elem(config_lookup(tree, "costs"), (unsigned)i), "costs.model",
			    "\"%s\" is not one of meters, and there is no provider", c->costs[i].model);
	}
	pairs_check(r, tree);
}
