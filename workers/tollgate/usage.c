#include "usage.h"

#include <stdlib.h>
#include <sysexits.h>

#include "commands.h"
#include "json.h"

static void
number_put(struct json_object *to, const char *name, int64_t number)
{
	json_object_object_add(to, name, json_object_new_int64(number));
}

static struct json_object *
meters_json(const struct config *c)
{
	struct json_object	*list = json_object_new_array();

	for (size_t i = 0; i < c->n_meters; i++)
		json_object_array_add(list, json_object_new_string(c->meters[i].event_name));
	return list;
}

/* What is not sold ends with what is included. Without a bound the member is left out, which is null there. */
static struct json_object *
quotas_json(const struct config *c)
{
	struct json_object	*list = json_object_new_array();

	for (size_t i = 0; i < c->n_quotas; i++) {
		const struct config_quota	*q = &c->quotas[i];
		struct json_object		*quota = json_object_new_object();

		json_put(quota, "plan", q->plan);
		json_put(quota, "meter", q->meter);
		number_put(quota, "included", q->included);
		json_object_object_add(quota, "sold", json_object_new_boolean(q->sold));
		if (!q->sold || q->most > 0)
			number_put(quota, "most", q->sold ? q->most : q->included);
		if (q->member_most > 0)
			number_put(quota, "member_most", q->member_most);
		json_put(quota, "price", *q->price ? q->price : NULL);
		json_put(quota, "lookup_key", *q->lookup_key ? q->lookup_key : NULL);
		json_put(quota, "unit_amount", *q->unit_amount ? q->unit_amount : NULL);
		json_object_array_add(list, quota);
	}
	return list;
}

static struct json_object *
rates_json(const struct config *c)
{
	struct json_object	*list = json_object_new_array();

	for (size_t i = 0; i < c->n_rates; i++) {
		struct json_object	*rate = json_object_new_object();

		json_put(rate, "name", c->rates[i].name);
		json_put(rate, "plan", c->rates[i].plan);
		json_put(rate, "meter", c->rates[i].meter);
		number_put(rate, "allowed", c->rates[i].allowed);
		number_put(rate, "seconds", c->rates[i].seconds);
		json_object_array_add(list, rate);
	}
	return list;
}

static struct json_object *
caps_json(const struct config *c)
{
	struct json_object	*list = json_object_new_array();

	for (size_t i = 0; i < c->n_caps; i++) {
		struct json_object	*cap = json_object_new_object();

		json_put(cap, "kind", c->caps[i].kind);
		json_put(cap, "plan", c->caps[i].plan);
		json_put(cap, "subject", c->caps[i].provider);
		number_put(cap, "micros", c->caps[i].amount * INT64_C(1000000));
		json_object_array_add(list, cap);
	}
	return list;
}

static struct json_object *
costs_json(const struct config *c)
{
	struct json_object	*list = json_object_new_array();

	for (size_t i = 0; i < c->n_costs; i++) {
		struct json_object	*cost = json_object_new_object();

		json_put(cost, "provider", c->costs[i].provider);
		json_put(cost, "model", c->costs[i].model);
		json_put(cost, "class", c->costs[i].class);
		number_put(cost, "micros", c->costs[i].micros);
		json_object_array_add(list, cost);
	}
	return list;
}

const char *
usage_json(const struct operator *o)
{
	struct json_object	*all = json_new(o->mem);

	json_object_object_add(all, "meters", meters_json(o->config));
	json_object_object_add(all, "quotas", quotas_json(o->config));
	json_object_object_add(all, "rates", rates_json(o->config));
	json_object_object_add(all, "caps", caps_json(o->config));
	json_object_object_add(all, "costs", costs_json(o->config));
	return json_object_to_json_string_ext(all, JSON_C_TO_STRING_PLAIN);
}

enum { FAULTS = 100 };	/* enough to know */

/* The parts after the first, each of which looks for some seconds: their faults are added to those of the first. */
static enum err
parts_audit(const struct operator *o, struct json_object *first)
{
	struct json_object	*part = first, *faults = json_at(first, "/faults");

	while (!json_true(part, "/end") && json_object_array_length(faults) < FAULTS) {
		struct json_object	*more;

		TRY(db_service(operator_as(o, o->mem), &part, "ops.audit_usage($1::uuid, $2::bigint)",
		    ARGS(TEXT(json_text(part, "/tenant")), TEXT(json_text(part, "/account")))));
		more = json_at(part, "/faults");
		for (size_t i = 0; i < json_object_array_length(more); i++)
			json_object_array_add(faults, json_object_get(json_object_array_get_idx(more, i)));
	}
	json_object_object_del(first, "tenant");
	json_object_object_del(first, "account");
	json_object_object_del(first, "end");
	return OK;
}

static void
difference_print(struct json_object *d)
{
	printf("difference\t%s %s %s\tis %lld, Stripe has %lld\n", json_text(d, "/tenant"), json_text(d, "/meter"),
	    json_text(d, "/day"), (long long)json_int(d, "/ours", 0), (long long)json_int(d, "/theirs", 0));
}

int
usage_audit(const struct operator *o)
{
	struct json_object	*done, *faults, *differences;
	enum err		e = db_service(operator_as(o, o->mem), &done, "ops.audit_usage(null, null)", NO_ARGS);
	size_t			n, m;

	if (e == OK)
		e = parts_audit(o, done);
	if (e != OK)
		return operator_failed(o, e);
	faults = json_at(done, "/faults");
	differences = json_at(done, "/differences");
	n = json_object_array_length(faults);
	m = json_object_array_length(differences);
	if (o->json) {
		operator_json(done);
		return n + m == 0 ? EX_OK : 1;
	}
	for (size_t i = 0; i < n; i++) {
		struct json_object	*fault = json_object_array_get_idx(faults, i);

		printf("%s\t%s\tis %lld, should be %lld\n", json_text(fault, "/fault"), json_text(fault, "/id"),
		    (long long)json_int(fault, "/is", 0), (long long)json_int(fault, "/should", 0));
	}
	for (size_t i = 0; i < m; i++)
		difference_print(json_object_array_get_idx(differences, i));
	printf("%lld records, %lld of them open, %lld not told to Stripe%s\n", (long long)json_int(done, "/holds", 0),
	    (long long)json_int(done, "/open", 0), (long long)json_int(done, "/unsent", 0),
	    n + m == 0 ? "; the sums are right" : "");
	return n + m == 0 ? EX_OK : 1;
}

int
usage_retry(const struct operator *o)
{
	struct json_object	*done;
	enum err		e = db_service(operator_as(o, o->mem), &done, "ops.retry_usage()", NO_ARGS);

	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(done);
	else
		printf("%lld records are told to Stripe again\n", (long long)json_object_get_int64(done));
	return EX_OK;
}

int
usage_drop(const struct operator *o)
{
	int			code = EXIT_FAILURE;
	struct json_object	*done;
	const char		*tenant = operator_tenant(o, &code);
	enum err		e;

	if (tenant == NULL)
		return code;
	e = db_service(operator_as(o, o->mem), &done, "ops.drop_usage($1::uuid)", ARGS(TEXT(tenant)));
	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(done);
	else
		printf("%lld records of %lld units are given up\n", (long long)json_int(done, "/records", 0),
		    (long long)json_int(done, "/units", 0));
	return EX_OK;
}
