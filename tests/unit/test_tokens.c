/* tokens: classes that do not overlap, and what counts when a provider says nothing or what cannot be true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"
#include "tokens.h"
#include "unit.h"

static const struct tokens_facts	facts = { .whole = true, .bytes = 100, .deltas = 30, .bound = 50,
	.max_tokens = 1000 };

static struct json_object *
doc(mem_ctx *mem, const char *text)
{
	struct json_object	*d;

	assert_int_equal(json_parse(mem, text, strlen(text), &d), OK);
	return d;
}

static struct tokens_said
said(mem_ctx *mem, const char *usage)
{
	struct tokens_said	s = { 0 };

	tokens_say_openai(&s, doc(mem, usage), false);
	return s;
}

/* Asserts what counts for this usage, and what the operator is told. */
static void
counts(mem_ctx *mem, const char *usage, struct tokens_facts f, int64_t in, int64_t out, bool measured, unsigned alerts)
{
	struct tokens_said	s = said(mem, usage);
	struct tokens		t;
	unsigned		told = 0;

	assert_int_equal(tokens_settle(&s, &f, &t, &told), measured);
	assert_int_equal(t.fresh + t.cache_read + t.cache_write + t.cache_write_1h, in);
	assert_int_equal(t.output, out);
	assert_int_equal(told, alerts);
}

static void
test_of_openais_input_what_was_cached_is_a_part(void **state)
{
	struct tokens_said	s = said(*state, "{\"input_tokens\":20,\"input_tokens_details\":{\"cached_tokens\":5,"
		"\"cache_write_tokens\":3},\"output_tokens\":12}");

	assert_int_equal(s.t.fresh, 12);
	assert_int_equal(s.t.cache_read, 5);
	assert_int_equal(s.t.cache_write, 3);
	assert_int_equal(s.t.output, 12);
}

static void
test_of_anthropics_input_what_was_cached_is_none(void **state)
{
	struct tokens_said	s = { 0 };

	tokens_say_anthropic(&s, doc(*state, "{\"input_tokens\":15,\"cache_creation_input_tokens\":7,"
	    "\"cache_read_input_tokens\":5,\"cache_creation\":{\"ephemeral_1h_input_tokens\":3},\"output_tokens\":1}"));
	tokens_say_anthropic(&s, doc(*state, "{\"input_tokens\":null,\"output_tokens\":12}"));
	assert_int_equal(s.t.fresh, 15);
	assert_int_equal(s.t.cache_read, 5);
	assert_int_equal(s.t.cache_write, 4);
	assert_int_equal(s.t.cache_write_1h, 3);
	assert_int_equal(s.t.output, 12);
	assert_false(s.absurd);
}

static void
test_what_a_provider_says_counts(void **state)
{
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":12}", facts, 20, 12, false, 0);
}

static void
test_f134_missing_usage_is_measured(void **state)
{
	counts(*state, "null", facts, 50, 34, true, 0);
	counts(*state, "{}", facts, 50, 34, true, 0);
	counts(*state, "{\"input_tokens\":20}", facts, 20, 34, true, 0);
	counts(*state, "{\"output_tokens\":12}", facts, 50, 12, true, 0);
}

static void
test_f134_as_many_events_are_as_many_tokens_at_least(void **state)
{
	struct tokens_facts	f = facts;

	f.deltas = 60;
	counts(*state, "null", f, 50, 60, true, 0);
}

static void
test_f134_no_output_or_less_than_its_text_is_measured_and_told(void **state)
{
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":0}", facts, 20, 34, true, TOKENS_LOW);
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":6}", facts, 20, 34, true, TOKENS_LOW);
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":7}", facts, 20, 7, false, 0);
	counts(*state, "{\"input_tokens\":0,\"output_tokens\":0}", facts, 50, 34, true, TOKENS_LOW);
	counts(*state, "{\"input_tokens\":0,\"output_tokens\":12}", facts, 50, 12, true, TOKENS_LOW);
}

static void
test_f134_an_answer_without_text_may_have_no_output(void **state)
{
	struct tokens_facts	f = { .whole = true, .bound = 50, .max_tokens = 1000 };

	counts(*state, "{\"input_tokens\":20,\"output_tokens\":0}", f, 20, 0, false, 0);
}

static void
test_f134_more_than_was_allowed_is_capped_and_told(void **state)
{
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":1000}", facts, 20, 1000, false, 0);
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":1001}", facts, 20, 1000, false, TOKENS_HIGH);
}

static void
test_f134_what_is_measured_is_capped_too(void **state)
{
	struct tokens_facts	f = facts;

	f.bytes = 6000;
	counts(*state, "null", f, 50, 1000, true, 0);
	f.bytes = 16001;
	counts(*state, "null", f, 50, 1000, true, TOKENS_HIGH);
}

static void
test_f134_what_cannot_be_a_count_is_measured_and_told(void **state)
{
	static const char *const	usages[] = {
		"{\"input_tokens\":-1,\"output_tokens\":12}", "{\"input_tokens\":20,\"output_tokens\":-5}",
		"{\"input_tokens\":20,\"output_tokens\":9223372036854775808}",
		"{\"input_tokens\":9223372036854775807,\"output_tokens\":12}", "{\"input_tokens\":\"20\",\"output_tokens\":12}",
		"{\"input_tokens\":20,\"output_tokens\":1.5}", "{\"input_tokens\":20,\"output_tokens\":{}}",
		"{\"input_tokens\":20,\"output_tokens\":12,\"input_tokens_details\":{\"cached_tokens\":-1}}",
		"{\"input_tokens\":20,\"output_tokens\":12,\"input_tokens_details\":{\"cached_tokens\":21}}",
	};

	for (size_t i = 0; i < LENGTH(usages); i++)
		counts(*state, usages[i], facts, 50, 34, true, TOKENS_WRONG);
}

static void
test_f134_far_more_input_than_was_sent_is_measured_and_told(void **state)
{
	counts(*state, "{\"input_tokens\":4196,\"output_tokens\":12}", facts, 4196, 12, false, 0);
	counts(*state, "{\"input_tokens\":4197,\"output_tokens\":12}", facts, 50, 12, true, TOKENS_WRONG);
}

static void
test_f131_of_a_cut_answer_the_input_is_as_said_and_the_output_is_measured(void **state)
{
	struct tokens_facts	f = facts;

	f.whole = false;
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":1}", f, 20, 34, true, 0);
	counts(*state, "{\"input_tokens\":20,\"output_tokens\":40}", f, 20, 40, true, 0);
	counts(*state, "null", f, 50, 34, true, 0);
}

static void
test_f136_before_any_text_there_is_only_input(void **state)
{
	struct tokens_facts	f = { .bound = 50, .max_tokens = 1000 };

	counts(*state, "null", f, 50, 0, true, 0);
}

static void
test_no_input_has_more_tokens_than_its_bound(void **state)
{
	(void)state;
	assert_int_equal(tokens_bound(0, 0), 0);
	assert_int_equal(tokens_bound(100, 3), 148);
}

static void
test_each_alert_has_a_name(void **state)
{
	(void)state;
	assert_string_equal(tokens_alert_name(0), "usage_low");
	assert_string_equal(tokens_alert_name(1), "usage_high");
	assert_string_equal(tokens_alert_name(2), "usage_wrong");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_of_openais_input_what_was_cached_is_a_part),
		TEST(test_of_anthropics_input_what_was_cached_is_none),
		TEST(test_what_a_provider_says_counts),
		TEST(test_f134_missing_usage_is_measured),
		TEST(test_f134_as_many_events_are_as_many_tokens_at_least),
		TEST(test_f134_no_output_or_less_than_its_text_is_measured_and_told),
		TEST(test_f134_an_answer_without_text_may_have_no_output),
		TEST(test_f134_more_than_was_allowed_is_capped_and_told),
		TEST(test_f134_what_is_measured_is_capped_too),
		TEST(test_f134_what_cannot_be_a_count_is_measured_and_told),
		TEST(test_f134_far_more_input_than_was_sent_is_measured_and_told),
		TEST(test_f131_of_a_cut_answer_the_input_is_as_said_and_the_output_is_measured),
		TEST(test_f136_before_any_text_there_is_only_input),
		TEST(test_no_input_has_more_tokens_than_its_bound),
		TEST(test_each_alert_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
