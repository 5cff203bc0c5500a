#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "inbox.h"
#include "json.h"

#define EVENT(rest) "{\"id\":\"evt_1\",\"object\":\"event\",\"created\":1700000000,\"livemode\":false," rest "}"
#define OBJECT(type, object) EVENT("\"type\":\"" type "\",\"data\":{\"object\":" object "}")

static struct inbox_event
read_event(mem_ctx *mem, const char *body)
{
	struct inbox_event	e;

	if (inbox_read(mem, body, strlen(body), &e) != OK)
		fail_msg("refused: %s", body);
	return e;
}

static void
assert_dirty(const char *body, const char *kind, const char *object)
{
	mem_ctx			*mem = mem_new();
	struct inbox_event	e = read_event(mem, body);

	if (kind == NULL) {
		if (e.kind != NULL || e.object != NULL)
			fail_msg("not parked: %s", body);
	} else {
		assert_non_null(e.kind);
		assert_string_equal(e.kind, kind);
		assert_string_equal(e.object, object);
	}
	talloc_free(mem);
}

static void
test_c29_each_type_names_its_object(void **state)
{
	(void)state;
	assert_dirty(OBJECT("checkout.session.completed", "{\"id\":\"cs_1\"}"), "checkout", "cs_1");
	assert_dirty(OBJECT("checkout.session.expired", "{\"id\":\"cs_1\"}"), "checkout", "cs_1");
	assert_dirty(OBJECT("customer.created", "{\"id\":\"cus_1\"}"), "customer", "cus_1");
	assert_dirty(OBJECT("customer.deleted", "{\"id\":\"cus_1\"}"), "customer", "cus_1");
	assert_dirty(OBJECT("customer.subscription.updated", "{\"id\":\"sub_1\"}"), "subscription", "sub_1");
	assert_dirty(OBJECT("customer.subscription.trial_will_end", "{\"id\":\"sub_1\"}"), "subscription", "sub_1");
}

static void
test_c37_money_makes_its_own_object_dirty(void **state)
{
	(void)state;
	assert_dirty(OBJECT("invoice.paid", "{\"id\":\"in_1\",\"subscription\":\"sub_1\"}"), "invoice", "in_1");
	assert_dirty(OBJECT("invoice.payment_failed", "{\"id\":\"in_1\"}"), "invoice", "in_1");
	assert_dirty(OBJECT("charge.refunded", "{\"id\":\"ch_1\"}"), "charge", "ch_1");
	assert_dirty(OBJECT("charge.refund.updated", "{\"id\":\"re_1\",\"charge\":\"ch_1\"}"), "charge", "ch_1");
	assert_dirty(OBJECT("refund.created", "{\"id\":\"re_1\",\"charge\":{\"id\":\"ch_1\"}}"), "charge", "ch_1");
	assert_dirty(OBJECT("subscription_schedule.updated", "{\"id\":\"sub_sched_1\",\"subscription\":\"sub_1\"}"),
	    "subscription", "sub_1");
	assert_dirty(OBJECT("subscription_schedule.released", "{\"id\":\"sub_sched_1\",\"subscription\":null,"
	    "\"released_subscription\":\"sub_1\"}"), "subscription", "sub_1");
	assert_dirty(OBJECT("customer.discount.deleted", "{\"id\":\"di_1\",\"customer\":\"cus_1\"}"), "customer", "cus_1");
	assert_dirty(OBJECT("invoiceitem.created", "{\"id\":\"ii_1\",\"customer\":\"cus_1\"}"), "customer", "cus_1");
	assert_dirty(OBJECT("charge.dispute.created", "{\"id\":\"dp_1\",\"charge\":\"ch_1\"}"), "dispute", "dp_1");
	assert_dirty(OBJECT("price.updated", "{\"id\":\"price_1\"}"), "price", "price_1");
	assert_dirty(OBJECT("product.updated", "{\"id\":\"prod_1\"}"), "product", "prod_1");
	assert_dirty(OBJECT("billing_portal.configuration.updated", "{\"id\":\"bpc_1\"}"), "portal_configuration", "bpc_1");
}

static void
test_c29_an_announced_invoice_names_its_subscription_in_every_shape(void **state)
{
	static const char *const shapes[] = {
		"{\"id\":\"in_1\",\"subscription\":\"sub_1\"}",
		"{\"id\":\"in_1\",\"subscription\":{\"id\":\"sub_1\"}}",
		"{\"subscription\":null,\"parent\":{\"subscription_details\":{\"subscription\":\"sub_1\"}}}",
		"{\"parent\":{\"subscription_details\":{\"subscription\":{\"id\":\"sub_1\"}}}}",
		"{\"parent\":null,\"lines\":{\"data\":[{\"subscription\":\"sub_1\"}]}}",
		"{\"lines\":{\"data\":[{\"parent\":{\"subscription_item_details\":{\"subscription\":\"sub_1\"}}}]}}",
	};
	mem_ctx	*mem = mem_new();

	(void)state;
	for (size_t i = 0; i < sizeof(shapes) / sizeof(*shapes); i++)
		assert_dirty(mem_printf(mem, OBJECT("invoice.upcoming", "%s"), shapes[i]), "subscription", "sub_1");
	talloc_free(mem);
}

static void
test_f74_what_is_not_for_us_is_ignored(void **state)
{
	static const char *const bodies[] = {
		OBJECT("invoice.upcoming", "{\"id\":\"in_1\"}"),
		OBJECT("payment_intent.created", "{\"id\":\"pi_1\"}"),
		OBJECT("customer.created.more", "{\"id\":\"cus_1\"}"),
		OBJECT("customer.tax_id.created", "{\"id\":\"txi_1\"}"),
		OBJECT("customer.created", "{}"),
		OBJECT("customer.created", "{\"id\":\"../v1/charges\"}"),
		OBJECT("customer.created", "{\"id\":17}"),
		EVENT("\"type\":17,\"data\":{\"object\":{\"id\":\"cus_1\"}}"),
		"{\"id\":\"evt_1\",\"object\":\"event\"}",
		"{\"id\":\"evt_1\",\"type\":\"customer.created\",\"data\":{\"object\":{\"id\":\"cus_1\"}}}",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++)
		assert_dirty(bodies[i], NULL, NULL);
}

static void
test_f74_a_thin_event_is_kept_with_its_time(void **state)
{
	mem_ctx			*mem = mem_new();
	struct inbox_event	e = read_event(mem, "{\"id\":\"evt_65\",\"object\":\"v2.core.event\","
	    "\"type\":\"v1.customer.created\",\"created\":\"2026-07-29T10:00:00.123Z\",\"livemode\":true}");

	(void)state;
	assert_string_equal(e.id, "evt_65");
	assert_int_equal(e.created, 1785319200);
	assert_true(e.livemode);
	assert_true(e.thin);
	assert_null(e.kind);
	talloc_free(mem);
}

static void
test_f156_an_error_report_is_what_is_to_be_fetched(void **state)
{
	(void)state;
	assert_dirty("{\"id\":\"evt_test_65\",\"object\":\"v2.core.event\","
	    "\"type\":\"v1.billing.meter.no_meter_found\"}", "meter_report", "evt_test_65");
	assert_dirty("{\"id\":\"evt_65\",\"object\":\"v2.core.event\","
	    "\"type\":\"v1.billing.meter.error_report_triggered\",\"related_object\":{\"id\":\"mtr_1\"}}",
	    "meter_report", "evt_65");
	assert_dirty("{\"id\":\"evt_65\",\"object\":\"event\",\"type\":\"v1.billing.meter.no_meter_found\"}", NULL, NULL);
	assert_dirty("{\"id\":\"evt_65\",\"object\":\"v2.core.event\",\"type\":\"customer.created\","
	    "\"data\":{\"object\":{\"id\":\"cus_1\"}}}", NULL, NULL);
}

static void
test_f74_a_version_of_the_future_still_names_its_object(void **state)
{
	(void)state;
	assert_dirty(EVENT("\"type\":\"customer.updated\",\"api_version\":\"2031-01-01.zinnia\",\"news\":[1],"
	    "\"data\":{\"object\":{\"id\":\"cus_1\"}}"), "customer", "cus_1");
}

static void
test_f65_an_event_with_two_ids_or_types_is_ignored(void **state)
{
	(void)state;
	assert_dirty(OBJECT("customer.created", "{\"id\":\"cus_1\"},\"id\":\"cus_2\"}, \"x\":{\"type\":1"), "customer",
	    "cus_1");
	assert_dirty(EVENT("\"id\" : \"evt_2\",\"type\":\"customer.created\",\"data\":{\"object\":{\"id\":\"cus_1\"}}"),
	    NULL, NULL);
	assert_dirty(EVENT("\"type\":\"customer.deleted\",\"type\":\"customer.created\","
	    "\"data\":{\"object\":{\"id\":\"cus_1\"}}"), NULL, NULL);
	assert_dirty(EVENT("\"type\":\"customer.deleted\",\"t\\u0079pe\":\"customer.created\","
	    "\"data\":{\"object\":{\"id\":\"cus_1\"}}"), NULL, NULL);
	assert_dirty(EVENT("\"type\":\"customer.created\",\"x\":\"\\\",\\\"type\\\":\",\"y\":[\"id\",{\"id\":1}],"
	    "\"data\":{\"object\":{\"id\":\"cus_1\"}}"), "customer", "cus_1");
}

static void
test_f66_a_nul_in_a_text_does_not_hide_the_object(void **state)
{
	(void)state;
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"a\\u0000b\"}"), "customer", "cus_1");
}

static void
test_f66_a_nul_in_an_id_is_no_id(void **state)
{
	static const char	body[] = "{\"id\":\"evt_1\\u0000x\",\"object\":\"event\",\"type\":\"ping\"}";
	struct inbox_event	e;
	mem_ctx			*mem = mem_new();

	(void)state;
	assert_int_equal(inbox_read(mem, body, strlen(body), &e), ERR_BAD_REQUEST);
	talloc_free(mem);
}

static void
test_f67_broken_utf8_is_ignored_under_its_id(void **state)
{
	(void)state;
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\xff\xc3\"}"), NULL, NULL);
	assert_dirty(OBJECT("customer.updated\xf5\x94\xb4\xbf", "{\"id\":\"cus_1\"}"), NULL, NULL);
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\xed\xa0\x80\"}"), NULL, NULL);
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\xf4\x90\x80\x80\"}"), NULL, NULL);
}

static void
test_f67_an_event_with_half_a_surrogate_pair_is_ignored(void **state)
{
	(void)state;
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\\ud800\"}"), NULL, NULL);
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\\uDC00x\"}"), NULL, NULL);
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\\ud83c\\udfab\"}"), "customer", "cus_1");
	assert_dirty(OBJECT("customer.updated", "{\"id\":\"cus_1\",\"name\":\"\\\\ud800\"}"), "customer", "cus_1");
}

static void
test_f64_what_is_no_event_is_refused(void **state)
{
	static const char *const bodies[] = {
		"", " ", "{", "[]", "17", "null", "\"evt_1\"", "{}", "{\"id\":17}", "{\"id\":\"\"}", "{\"id\":\"evt 1\"}",
		"{\"id\":\"evt_1\"} x", "{'id':'evt_1'}", "\xef\xbb\xbf{\"id\":\"evt_1\"}", "{\"id\":\"evt_1\",\"n\":NaN}",
		"\xff", "{\"id\":\"evt_1\xff\"}",
	};
	mem_ctx			*mem = mem_new();
	struct inbox_event	e;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		if (inbox_read(mem, bodies[i], strlen(bodies[i]), &e) != ERR_BAD_REQUEST)
			fail_msg("taken: %s", bodies[i]);
	}
	talloc_free(mem);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_c29_each_type_names_its_object),
		cmocka_unit_test(test_c37_money_makes_its_own_object_dirty),
		cmocka_unit_test(test_c29_an_announced_invoice_names_its_subscription_in_every_shape),
		cmocka_unit_test(test_f74_what_is_not_for_us_is_ignored),
		cmocka_unit_test(test_f74_a_thin_event_is_kept_with_its_time),
		cmocka_unit_test(test_f156_an_error_report_is_what_is_to_be_fetched),
		cmocka_unit_test(test_f74_a_version_of_the_future_still_names_its_object),
		cmocka_unit_test(test_f65_an_event_with_two_ids_or_types_is_ignored),
		cmocka_unit_test(test_f66_a_nul_in_a_text_does_not_hide_the_object),
		cmocka_unit_test(test_f66_a_nul_in_an_id_is_no_id),
		cmocka_unit_test(test_f67_broken_utf8_is_ignored_under_its_id),
		cmocka_unit_test(test_f67_an_event_with_half_a_surrogate_pair_is_ignored),
		cmocka_unit_test(test_f64_what_is_no_event_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
