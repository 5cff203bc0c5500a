/* Meters of usage at Stripe. Only a meter's display name can be changed. */
#include <string.h>

#include "desired.h"
#include "form.h"
#include "json.h"
#include "provisioning.h"

static struct json_object *
meter_desired(mem_ctx *mem, const struct config_meter *m)
{
	struct json_object	*desired = json_new(mem), *customer = json_object_new_object();
	struct json_object	*value = json_object_new_object(), *aggregation = json_object_new_object();

	json_put(customer, "type", "by_id");
	json_put(customer, "event_payload_key", m->customer_key);
	json_put(value, "event_payload_key", m->value_key);
	json_put(aggregation, "formula", "sum");
	json_put(desired, "event_name", m->event_name);
	json_object_object_add(desired, "customer_mapping", customer);
	json_object_object_add(desired, "value_settings", value);
	json_object_object_add(desired, "default_aggregation", aggregation);
	return desired;
}

static enum err
meter_compare(struct provisioning *pr, const struct config_meter *m, struct json_object *desired,
    struct json_object *actual)
{
	mem_ctx			*mem = pr->o->mem;
	const char		*id = json_text(actual, "/id"), *called = json_text(actual, "/display_name");
	struct json_object	*fields = desired_differences(mem, desired, actual), *done;
	struct buf		form = { .ctx = mem };

	if (json_object_array_length(fields) > 0)
		provisioning_differs(pr, CHANGE_BY_HAND, "meter", m->event_name,
		    "Stripe cannot change a meter: deactivate it at Stripe, then apply again", fields);
	if (called && strcmp(called, m->display_name) == 0)
		return OK;
	if (!provisioning_differs(pr, CHANGE_UPDATE, "meter", m->event_name,
	    mem_printf(mem, "display_name is \"%s\", should be \"%s\"", called ? called : "", m->display_name), NULL))
		return OK;
	form_put(&form, "display_name", m->display_name);
	return operator_post(pr->o, mem_printf(mem, "/v1/billing/meters/%s", id), form.data, &done);
}

static enum err
meter_keep(struct provisioning *pr, const struct config_meter *m, struct json_object *all)
{
	struct json_object	*desired = meter_desired(pr->o->mem, m), *done;

	for (size_t i = 0; i < json_object_array_length(all); i++) {
		struct json_object	*actual = json_object_array_get_idx(all, i);
		const char		*name = json_text(actual, "/event_name");

		if (name && strcmp(name, m->event_name) == 0) {
			json_put(pr->meters, name, json_text(actual, "/id"));
			return meter_compare(pr, m, desired, actual);
		}
	}
	if (!provisioning_differs(pr, CHANGE_CREATE, "meter", m->event_name, NULL, NULL))
		return OK;
	json_put(desired, "display_name", m->display_name);
	TRY(operator_post(pr->o, "/v1/billing/meters", desired_form(pr->o->mem, desired), &done));
	json_put(pr->meters, m->event_name, json_text(done, "/id"));
	return OK;
}

enum err
meters_keep(struct provisioning *pr)
{
	struct json_object	*all;

	if (pr->o->config->n_meters == 0)
		return OK;
	TRY(operator_list(pr->o, "/v1/billing/meters", "status=active", &all));
	for (size_t i = 0; i < pr->o->config->n_meters; i++)
		TRY(meter_keep(pr, &pr->o->config->meters[i], all));
	return OK;
}
