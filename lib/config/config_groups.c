#include "private/config_reader.h"

#include <string.h>

const char *
config_check_name(const char *s)
{
	return *s && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s) ? NULL :
	    "must be lower-case letters, digits and _";
}

const char *
config_check_name_or_none(const char *s)
{
	return *s ? config_check_name(s) : NULL;
}

const char *
config_check_price(const char *s)
{
	return *s == '\0' || strncmp(s, "price_", 6) == 0 ? NULL : "must begin with price_";
}

static const char *
check_interval(const char *s)
{
	return strcmp(s, "day") == 0 || strcmp(s, "week") == 0 || strcmp(s, "month") == 0 || strcmp(s, "year") == 0 ?
	    NULL : "must be day, week, month or year";
}

#define TEXT(p, type, member, otherwise, test, once) { .path = p, .kind = KIND_TEXT, .offset = offsetof(type, member), \
	.text = otherwise, .check = test, .unique = once }
#define INT(p, type, member, otherwise, least, most) { .path = p, .kind = KIND_NUMBER, \
	.offset = offsetof(type, member), .number = otherwise, .min = least, .max = most }

static const struct config_key plan_keys[] = {
	TEXT("plans.id", struct config_plan, id, NULL, config_check_name, true),
	TEXT("plans.price", struct config_plan, price, "", config_check_price, true),
	TEXT("plans.lookup_key", struct config_plan, lookup_key, "", NULL, true),
	TEXT("plans.product", struct config_plan, product, "", config_check_name_or_none, false),
	INT("plans.amount", struct config_plan, amount, 0, 0, 99999999),
	TEXT("plans.currency", struct config_plan, currency, "", config_check_currency, false),
	TEXT("plans.interval", struct config_plan, interval, "month", check_interval, false),
	INT("plans.grace_days", struct config_plan, grace_days, 7, 0, 365),
	INT("plans.trial_days", struct config_plan, trial_days, 0, 0, 730),
	INT("plans.quantity_min", struct config_plan, quantity_min, 1, 1, 999999),
	INT("plans.quantity_max", struct config_plan, quantity_max, 1, 1, 999999),
	{ .path = "plans.free", .kind = KIND_SWITCH, .offset = offsetof(struct config_plan, free), .unique = true },
	{ .path = "plans.features", .kind = KIND_WORDS, .offset = offsetof(struct config_plan, features), .text = "",
	    .check = config_check_name },
	{ 0 }
};

static const struct config_key meter_keys[] = {
	TEXT("meters.event_name", struct config_meter, event_name, NULL, config_check_name, true),
	TEXT("meters.display_name", struct config_meter, display_name, NULL, config_check_filled, false),
	TEXT("meters.customer_key", struct config_meter, customer_key, "stripe_customer_id", config_check_filled, false),
	TEXT("meters.value_key", struct config_meter, value_key, "value", config_check_filled, false),
	{ 0 }
};

/* What a free plan may have: the rest is about paying. */
static const char *const free_members[] = { "id", "free", "features", NULL };

static bool
is_listed(const char *const *names, const char *name)
{
	while (*names && strcmp(*names, name) != 0)
		names++;
	return *names != NULL;
}

static void
free_check(struct reader *r, const config_setting_t *at)
{
	for (int i = 0; i < config_setting_length(at); i++) {
		const config_setting_t	*member = config_setting_get_elem(at, (unsigned)i);
		const char		*name = config_setting_name(member);

		if (!is_listed(free_members, name))
			config_fault(r, member, mem_printf(r->ctx, "plans.%s", name), "has no effect in a plan that is free");
	}
}

/* What is wrong with a plan that is sold, or NULL. */
static const char *
sold_fault(mem_ctx *ctx, const struct config_plan *p)
{
	if (p->quantity_max < p->quantity_min)
		return "has a quantity_max below its quantity_min";
	if (*p->price == '\0' && *p->lookup_key == '\0')
		return "has neither price nor lookup_key";
	if (*p->price && *p->lookup_key)
		return "has both price and lookup_key: leave one out";
	if (*p->price && *p->product)
		return "has both price and product: Stripe says which product a price is of";
	if (*p->lookup_key && (p->amount == 0 || *p->currency == '\0'))
		return "has a lookup_key, but not both amount and currency";
	if (*p->currency && p->amount == 0)
		return "has a currency without an amount";
	return p->amount != 0 ? config_amount_fault(ctx, p->currency, p->amount) : NULL;
}

/* Checks the members of a plan together. */
static void
plan_check(struct reader *r, const struct config_setting_t *at, void *item)
{
	const struct config_plan	*p = item;
	const char			*wrong = p->free ? NULL : sold_fault(r->ctx, p);

	if (p->free)
		free_check(r, at);
	if (wrong)
		config_fault(r, at, "plans", "%s", wrong);
}

const struct config_groups config_plans = {
	plan_keys, sizeof(struct config_plan), offsetof(struct config, n_plans), plan_check,
	"must be a list of { id = \"starter\"; price = \"price_1\"; }", true
};
const struct config_groups config_meters = {
	meter_keys, sizeof(struct config_meter), offsetof(struct config, n_meters), NULL,
	"must be a list of { event_name = \"tokens\"; display_name = \"Tokens\"; }", false
};

static const char *
name_of(const struct config_key *k)
{
	return strchr(k->path, '.') + 1;
}

static void
names_check(struct reader *r, const struct config_groups *g, const config_setting_t *at)
{
	for (int i = 0; i < config_setting_length(at); i++) {
		const config_setting_t	*member = config_setting_get_elem(at, (unsigned)i);
		const struct config_key	*k = g->members;

		while (k->path && strcmp(name_of(k), config_setting_name(member)) != 0)
			k++;
		if (k->path == NULL)
			config_fault(r, member, config_setting_name(member), "is not known here: %s", g->shape);
	}
}

/* Reports a text that an earlier item of the list has too, and a switch that is on there too. */
static void
unique_check(struct reader *r, const struct config_key *k, const config_setting_t *at, const char *items, size_t n,
    size_t size)
{
	const char	*text = k->kind == KIND_TEXT ? *(const char *const *)(items + n * size + k->offset) : NULL;
	bool		on = k->kind == KIND_SWITCH && *(const bool *)(items + n * size + k->offset);

	for (size_t i = 0; on && i < n; i++) {
		if (*(const bool *)(items + i * size + k->offset))
			config_fault(r, at, k->path, "is true twice");
	}
	for (size_t i = 0; text && *text && i < n; i++) {
		const char	*other = *(const char *const *)(items + i * size + k->offset);

		if (other && strcmp(other, text) == 0)
			config_fault(r, at, k->path, "has \"%s\" twice", text);
	}
}

static bool
is_same(const struct config_groups *g, const char *one, const char *other)
{
	bool	same = false;

	for (const struct config_key *k = g->members; k->path; k++) {
		const char	*a = k->joint ? *(const char *const *)(one + k->offset) : NULL;
		const char	*b = k->joint ? *(const char *const *)(other + k->offset) : NULL;

		if (k->joint && (a == NULL || b == NULL || strcmp(a, b) != 0))
			return false;
		same = same || k->joint;
	}
	return same;
}

/* Reports an item that has the same texts as an earlier one in all keys that are joint. */
static void
joint_check(struct reader *r, const struct config_key *list, const config_setting_t *at, const char *items, size_t n)
{
	const struct config_groups	*g = list->groups;

	for (size_t i = 0; i < n; i++) {
		if (is_same(g, items + n * g->size, items + i * g->size))
			config_fault(r, at, list->path, "says this twice");
	}
}

static void
group_read(struct reader *r, const struct config_key *list, const config_setting_t *at, char *items, size_t n)
{
	const struct config_groups	*g = list->groups;
	char				*item = items + n * g->size;
	unsigned			before = r->faults;

	if (!config_setting_is_group(at)) {
		config_fault(r, at, list->path, "%s", g->shape);
		return;
	}
	names_check(r, g, at);
	for (const struct config_key *k = g->members; k->path; k++) {
		const config_setting_t	*member = config_setting_get_member(at, name_of(k));

		if (member == NULL && k->kind == KIND_TEXT && k->text == NULL)
			config_fault(r, at, k->path, "is missing");
		else
			config_key_read(r, k, member, item);
		if (k->unique)
			unique_check(r, k, member ? member : at, items, n, g->size);
	}
	if (r->faults > before)
		return;
	if (g->check)
		g->check(r, at, item);
	joint_check(r, list, at, items, n);
}

void
config_groups_read(struct reader *r, const struct config_key *k, const config_setting_t *at)
{
	const struct config_groups	*g = k->groups;
	char				*items;
	size_t				n;

	if (at == NULL)
		return;
	if (!config_setting_is_list(at)) {
		config_fault(r, at, k->path, "must be a list in round brackets");
		return;
	}
	n = (size_t)config_setting_length(at);
	if (n == 0 && g->required)
		config_fault(r, at, k->path, "is empty");
	items = talloc_zero_size(r->ctx, n * g->size + 1);
	for (size_t i = 0; i < n; i++)
		group_read(r, k, config_setting_get_elem(at, (unsigned)i), items, i);
	*(void **)((char *)r->out + k->offset) = items;
	*(size_t *)((char *)r->out + g->count) = n;
}
