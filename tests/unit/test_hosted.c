/* hosted: checkout sessions and portal sessions, whose pages are at Stripe. */
#include "private/hosted.h"
#include "upstream.h"

static void
test_f98_the_portal_is_asked_once_more_with_another_key(void **state)
{
	static const char	kept[] = ANSWER("500 Oops\r\nIdempotent-Replayed: true", "{}");
	struct world		w;

	(void)state;
	BEGIN(&w, kept, kept, FINE);
	assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "https://app.example.com/", "en", &w.url), ERR_CONFLICT);
	assert_string_not_equal(w.server.asked[0], w.server.asked[1]);
	end(&w, 2);
}

static void
test_f102_a_customer_who_is_not_there_is_told_apart(void **state)
{
	static const struct { const char *param; enum err verdict; } table[] = {
		{ "customer", ERR_NOT_FOUND }, { "line_items[0][price]", ERR_INTERNAL },
	};
	struct stripe_checkout	c = { .tenant = "t", .plan = "p", .price = "price_1", .customer = "cus_1",
	    .success_url = "s", .cancel_url = "c", .language = "en", .key = "k" };

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct world	w;
		char		answer[512];

		snprintf(answer, sizeof(answer), ANSWER("400 Bad",
		    "{\"error\":{\"code\":\"resource_missing\",\"param\":\"%s\"}}"), table[i].param);
		BEGIN(&w, answer);
		assert_int_equal(stripe_checkout(w.stripe, w.mem, &c, &w.id, &w.url), table[i].verdict);
		assert_null(w.id);
		end(&w, 1);
	}
}

static enum err
checkout(struct world *w, const char *customer)
{
	return stripe_checkout(w->stripe, w->mem, &(struct stripe_checkout){
		.tenant = "0b0c3f1e", .plan = "starter", .price = "price_1", .email = "a+b@example.com", .customer = customer,
		.success_url = "https://app.example.com/welcome?session_id={CHECKOUT_SESSION_ID}",
		.cancel_url = "https://app.example.com/signup", .language = "de", .key = "key-1",
	}, &w->id, &w->url);
}

static void
test_f102_a_key_that_may_make_no_sessions_is_left_alone_with_them(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("403 No", "{}"));
	for (int i = 0; i < 2; i++)
		assert_int_equal(checkout(&w, NULL), ERR_KEY_REFUSED);
	assert_string_equal(json_text(stripe_refused(w.stripe, w.mem), "/0"), "POST /v1/checkout/sessions");
	end(&w, 1);
}

static void
test_c7_the_checkout_request_field_by_field(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"complete\",\"url\":null}"));
	assert_int_equal(checkout(&w, NULL), OK);
	assert_string_equal(w.id, "cs_1");
	assert_null(w.url);
	assert_string_equal(strstr(w.server.asked[0], "\r\n\r\n") + 4,
	    "mode=subscription&line_items[0][price]=price_1&line_items[0][quantity]=1&customer_email=a%2Bb%40example.com"
	    "&client_reference_id=0b0c3f1e&metadata[tenant_id]=0b0c3f1e&metadata[plan]=starter"
	    "&subscription_data[metadata][tenant_id]=0b0c3f1e&subscription_data[metadata][plan]=starter"
	    "&success_url=https%3A%2F%2Fapp.example.com%2Fwelcome%3Fsession_id%3D%7BCHECKOUT_SESSION_ID%7D"
	    "&cancel_url=https%3A%2F%2Fapp.example.com%2Fsignup&locale=de");
	end(&w, 1);
}

static void
test_c7_a_known_customer_is_named_instead_of_the_address(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"expired\"}"));
	assert_int_equal(checkout(&w, "cus_1"), OK);
	assert_non_null(strstr(w.server.asked[0], "&customer=cus_1&"));
	assert_null(strstr(w.server.asked[0], "customer_email"));
	end(&w, 1);
}

static void
test_f101_only_a_page_on_stripes_host_is_handed_out(void **state)
{
	static const char *const answers[] = {
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":null}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"https://evil.example/c\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"javascript:alert(1)\"}"),
		ANSWER("200 OK", "{\"id\":\"cs_1\"}"),
		ANSWER("200 OK", "{\"id\":\"in_1\",\"status\":\"open\"}"),
		ANSWER("200 OK", "{\"status\":\"open\"}"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(*answers); i++) {
		struct world	w;

		BEGIN(&w, answers[i]);
		assert_int_equal(checkout(&w, NULL), ERR_UPSTREAM);
		assert_null(w.url);
		end(&w, 1);
	}
}

static void
test_c24_the_portal_names_customer_return_and_configuration(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"bps_1\",\"url\":\"https://evil.example/p\"}"));
	assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "https://app.example.com/settings/billing", "en", &w.url),
	    ERR_UPSTREAM);
	assert_null(w.url);
	assert_string_equal(strstr(w.server.asked[0], "\r\n\r\n") + 4, "customer=cus_1"
	    "&return_url=https%3A%2F%2Fapp.example.com%2Fsettings%2Fbilling&locale=en&configuration=bpc_1");
	end(&w, 1);
}

static void
test_c112_the_portal_for_a_card_takes_one_and_returns(void **state)
{
	static const char	flow[] = "&flow_data[type]=payment_method_update"
	    "&flow_data[after_completion][type]=redirect"
	    "&flow_data[after_completion][redirect][return_url]=https%3A%2F%2Fapp.example.com%2F";
	struct world		w;

	(void)state;
	BEGIN(&w, FINE);
	assert_int_equal(stripe_portal_card(w.stripe, w.mem, "cus_1", "https://app.example.com/", "en", &w.url),
	    ERR_UPSTREAM);
	assert_non_null(strstr(w.server.asked[0], "customer=cus_1&return_url="));
	assert_string_equal(strstr(w.server.asked[0], "&flow_data"), flow);
	end(&w, 1);
}

static void
test_f101_the_real_stripes_pages_have_hosts_of_their_own(void **state)
{
	mem_ctx		*mem = mem_new();
	struct stripe	*s = stripe_open(mem,
	    &(struct stripe_options){ .api_url = "https://api.stripe.com", .key = "sk_test_1",
	    .version = "v", .portal_configuration = "", .timeout_ms = TIMEOUT_MS });

	(void)state;
	assert_string_equal(stripe_origins(s), "https://checkout.stripe.com https://billing.stripe.com");
	talloc_free(mem);
}

/* What the real Stripe's answers may name as a page. */
static void
test_f101_a_page_of_the_real_stripe_is_on_its_own_host(void **state)
{
	static const struct { const char *url; bool checkout, portal; } table[] = {
		{ "https://checkout.stripe.com/c/pay/cs_1#x", true, false },
		{ "https://billing.stripe.com/p/session/1", false, true },
		{ "https://checkout.stripe.com", false, false }, { "http://checkout.stripe.com/c", false, false },
		{ "https://api.stripe.com/c", false, false }, { "https://stripe.com/c", false, false },
		{ "https://checkout.stripe.com.evil.example/c", false, false },
		{ "https://checkout.stripe.com@evil.example/c", false, false },
		{ "https://checkout.stripe.com:x@evil.example/c", false, false },
		{ "https://checkout.stripe.com\\\\@evil.example/c", false, false },
		{ "https://evil.example/https://checkout.stripe.com/c", false, false },
		{ "https://joe@checkout.stripe.com/c", false, false }, { "//checkout.stripe.com/c", false, false },
		{ "javascript:alert(1)", false, false }, { "javascript://checkout.stripe.com/%0aalert(1)", false, false },
		{ "data:text/html,x", false, false }, { "/c", false, false }, { "", false, false },
		{ "https://checkout.stripe.com/c\\r\\nSet-Cookie: a=b", false, false },
	};
	mem_ctx			*mem = mem_new();
	struct stripe_hosted	hosted = stripe_hosted_of(mem, &(struct stripe_options){
	    .api_url = "https://api.stripe.com", .portal_configuration = "" });

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(*table); i++) {
		struct json_object	*doc;
		const char		*text = mem_printf(mem, "{\"url\":\"%s\"}", table[i].url), *url;

		if (json_parse(mem, text, strlen(text), &doc) != OK)
			continue;
		assert_int_equal(stripe_page_url(doc, hosted.checkout, &url), table[i].checkout ? OK : ERR_UPSTREAM);
		assert_int_equal(url != NULL, table[i].checkout);
		assert_int_equal(stripe_page_url(doc, hosted.portal, &url), table[i].portal ? OK : ERR_UPSTREAM);
		assert_int_equal(url != NULL, table[i].portal);
	}
	talloc_free(mem);
}

/* Of another Stripe, as the simulator, every page is on the host of the API. */
static void
test_f101_a_page_of_another_stripe_is_on_the_host_of_its_api(void **state)
{
	static const struct { const char *format; bool holds; } table[] = {
		{ "%s/c/1", true }, { "%s@evil.example/c", false }, { "%s0/c", false }, { "%s.evil.example/c", false },
		{ "https://checkout.stripe.com/c?%s", false }, { "https://billing.stripe.com/c?%s", false },
		{ "javascript:%s/", false },
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(table) / sizeof(*table); i++) {
		struct world	w;
		const char	*answer = NULL, *where;

		BEGIN(&w, NULL, NULL);
		where = mem_printf(w.mem, "%s", w.api_url);
		answer = mem_printf(w.mem, ANSWER("200 OK", "{\"id\":\"cs_1\",\"status\":\"open\",\"url\":\"%s\"}"),
		    strncmp(table[i / 2].format, "%s", 2) == 0 ? mem_printf(w.mem, "%s%s", where, table[i / 2].format + 2) :
		    table[i / 2].format);
		w.server.answers[0] = answer;
		assert_int_equal(i % 2 ? checkout(&w, NULL) : stripe_portal(w.stripe, w.mem, "cus_1", "r", "en", &w.url),
		    table[i / 2].holds ? OK : ERR_UPSTREAM);
		assert_int_equal(w.url != NULL, table[i / 2].holds);
		end(&w, 1);
	}
}

static const char *
key_of(const char *asked)
{
	const char	*key = strstr(asked, "Idempotency-Key: ");

	return key != NULL ? key + strlen("Idempotency-Key: ") : "";
}

static void
test_f98_each_portal_session_has_a_key_of_its_own_and_keeps_it(void **state)
{
	static const char	made[] = ANSWER("200 OK", "{\"url\":\"https://evil.example/p\"}");
	struct world		w;

	(void)state;
	BEGIN(&w, ANSWER("500 Oops", "{}"), made, made);
	for (int i = 0; i < 2; i++)
		assert_int_equal(stripe_portal(w.stripe, w.mem, "cus_1", "r", "en", &w.url), ERR_UPSTREAM);
	assert_int_equal(strcspn(key_of(w.server.asked[0]), "\r"), 64);
	assert_memory_equal(key_of(w.server.asked[0]), key_of(w.server.asked[1]), 64);
	assert_memory_not_equal(key_of(w.server.asked[1]), key_of(w.server.asked[2]), 64);
	end(&w, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_f98_the_portal_is_asked_once_more_with_another_key),
		cmocka_unit_test(test_f102_a_customer_who_is_not_there_is_told_apart),
		cmocka_unit_test(test_f102_a_key_that_may_make_no_sessions_is_left_alone_with_them),
		cmocka_unit_test(test_c7_the_checkout_request_field_by_field),
		cmocka_unit_test(test_c7_a_known_customer_is_named_instead_of_the_address),
		cmocka_unit_test(test_f101_only_a_page_on_stripes_host_is_handed_out),
		cmocka_unit_test(test_c24_the_portal_names_customer_return_and_configuration),
		cmocka_unit_test(test_c112_the_portal_for_a_card_takes_one_and_returns),
		cmocka_unit_test(test_f101_the_real_stripes_pages_have_hosts_of_their_own),
		cmocka_unit_test(test_f101_a_page_of_the_real_stripe_is_on_its_own_host),
		cmocka_unit_test(test_f101_a_page_of_another_stripe_is_on_the_host_of_its_api),
		cmocka_unit_test(test_f98_each_portal_session_has_a_key_of_its_own_and_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
