/* wire_openai_chat: what is asked of Chat Completions, and what is read of its answers and compatible servers'. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wires.h"

#define CHUNK(delta, finish) "{\"id\":\"c1\",\"object\":\"chat.completion.chunk\",\"model\":\"m\",\"choices\":[" \
	"{\"index\":0,\"delta\":" delta ",\"finish_reason\":" finish "}],\"usage\":null}"
#define TEXT(t) CHUNK("{\"content\":\"" t "\"}", "null")
#define USAGE "{\"id\":\"c1\",\"choices\":[],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":12," \
	"\"total_tokens\":32,\"prompt_tokens_details\":{\"cached_tokens\":5,\"cache_write_tokens\":3}," \
	"\"completion_tokens_details\":{\"reasoning_tokens\":8}}}"

#define MESSAGES "[{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Hello\"}," \
	"{\"role\":\"user\",\"content\":\"a/b\"}]"

static struct wire_answer
read_events(mem_ctx *mem, const char *const events[][2])
{
	return answer_of(&wire_openai_chat, mem, events);
}

static void
test_a_stream_is_asked_for_with_its_usage_and_is_not_stored(void **state)
{
	assert_string_equal(written(&wire_openai_chat, *state, (struct wire_request){ .stream = true,
	    .stream_options = true, .max_tokens_field = "max_completion_tokens" }),
	    "{\"model\":\"m\",\"messages\":" MESSAGES ",\"max_completion_tokens\":100,\"store\":false,\"stream\":true,"
	    "\"stream_options\":{\"include_usage\":true,\"include_obfuscation\":false}}");
}

static void
test_a_compatible_server_is_asked_for_nothing_that_it_may_not_know(void **state)
{
	assert_string_equal(written(&wire_openai_chat, *state, (struct wire_request){ .stream = true,
	    .stream_options = true, .max_tokens_field = "max_tokens" }),
	    "{\"model\":\"m\",\"messages\":" MESSAGES ",\"max_tokens\":100,\"stream\":true,"
	    "\"stream_options\":{\"include_usage\":true}}");
	assert_string_equal(written(&wire_openai_chat, *state, (struct wire_request){ .stream = true,
	    .max_tokens_field = "max_tokens" }),
	    "{\"model\":\"m\",\"messages\":" MESSAGES ",\"max_tokens\":100,\"stream\":true}");
}

static void
test_a_whole_answer_is_asked_for_with_the_instructions_first(void **state)
{
	assert_string_equal(written(&wire_openai_chat, *state, (struct wire_request){ .system = "Be brief",
	    .stream_options = true, .max_tokens_field = "max_completion_tokens" }),
	    "{\"model\":\"m\",\"messages\":[{\"role\":\"system\",\"content\":\"Be brief\"},"
	    "{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"assistant\",\"content\":\"Hello\"},"
	    "{\"role\":\"user\",\"content\":\"a/b\"}],\"max_completion_tokens\":100,\"store\":false}");
}

static void
test_an_answer_is_read(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "", CHUNK("{\"role\":\"assistant\",\"content\":\"\"}", "null") }, { "", TEXT("Hel") }, { "", TEXT("lo") },
		{ "", CHUNK("{}", "\"stop\"") }, { "", USAGE }, { "", "[DONE]" }, { 0 } });

	assert_string_equal(text_of(&a), "Hello");
	assert_int_equal(a.deltas, 2);
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed);
	assert_true(a.said.input && a.said.output && !a.said.absurd);
	assert_tokens(a.said.t, 12, 5, 3, 12);
}

static void
test_each_reason_to_finish_is_known(void **state)
{
	static const struct {
		const char		*chunk;
		enum wire_finish	finish;
	} cases[] = {
		{ CHUNK("{}", "\"stop\""), WIRE_STOP }, { CHUNK("{}", "\"length\""), WIRE_LENGTH },
		{ CHUNK("{}", "\"tool_calls\""), WIRE_TOOLS }, { CHUNK("{}", "\"function_call\""), WIRE_TOOLS },
		{ CHUNK("{}", "\"content_filter\""), WIRE_FILTER }, { CHUNK("{}", "\"later\""), WIRE_OTHER },
		{ CHUNK("{}", "null"), WIRE_NONE }, { CHUNK("{}", "\"\""), WIRE_NONE },
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(read_events(*state, (const char *const[][2]){ { "", cases[i].chunk }, { 0 } }).finish,
		    cases[i].finish);
}

static void
test_a_refusal_is_text_and_ends_as_filtered(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "", CHUNK("{\"refusal\":\"I can\"}", "null") }, { "", CHUNK("{\"refusal\":\"not\"}", "null") },
		{ "", CHUNK("{}", "\"stop\"") }, { 0 } });

	assert_string_equal(text_of(&a), "I cannot");
	assert_int_equal(a.finish, WIRE_FILTER);
}

static void
test_f131_an_error_in_mid_stream_fails_the_answer(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", TEXT("Hel") },
		{ "", "{\"error\":{\"message\":\"x\",\"type\":\"server_error\",\"param\":null,\"code\":null}}" }, { 0 } });

	assert_true(a.failed && !a.ended);
	assert_int_equal(a.verdict.act, VERDICT_RETRY);
	assert_int_equal(a.verdict.status, 500);
	assert_string_equal(text_of(&a), "Hel");
}

static void
test_f132_three_garbage_events_are_skipped_and_a_fourth_fails(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", "{" }, { "", TEXT("a") },
		{ "", "<html>" }, { "", "[1]" }, { "", TEXT("b") }, { 0 } });

	assert_string_equal(text_of(&a), "ab");
	assert_false(a.failed);
	a = read_events(*state, (const char *const[][2]){ { "", "{" }, { "", "x" }, { "", "7" }, { "", "" }, { 0 } });
	assert_true(a.failed);
	assert_int_equal(a.verdict.act, VERDICT_NEXT);
}

static void
test_f134_of_usage_on_every_chunk_the_last_counts(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":1}}" },
		{ "", "{\"choices\":[],\"usage\":{\"prompt_tokens\":9,\"completion_tokens\":2}}" },
		{ "", "{\"choices\":[],\"usage\":null}" }, { 0 } });

	assert_tokens(a.said.t, 9, 0, 0, 2);
}

static void
test_f134_usage_that_never_comes_is_not_said(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", TEXT("Hel") },
		{ "", "[DONE]" }, { 0 } });

	assert_true(a.ended && a.finish == WIRE_NONE);
	assert_false(a.said.input || a.said.output);
}

static void
test_f135_an_emoji_comes_in_two_halves_with_another_event_between(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", TEXT("a\\ud83d") },
		{ "", "{\"choices\":[]}" }, { "", TEXT("\\ude00b") }, { 0 } });

	assert_string_equal(text_of(&a), "a\xf0\x9f\x98\x80" "b");
}

static void
test_f135_a_half_that_stays_alone_becomes_a_replacement(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", TEXT("a\\u0000\\ud83d") }, { 0 } });

	assert_string_equal(text_of(&a), "a\xef\xbf\xbd");
}

static void
test_another_choice_is_not_the_answer(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "",
		"{\"choices\":[{\"index\":1,\"delta\":{\"content\":\"no\"},\"finish_reason\":\"stop\"}]}" }, { 0 } });

	assert_int_equal(a.bytes, 0);
	assert_int_equal(a.finish, WIRE_NONE);
}

static void
test_a_whole_answer_is_read(void **state)
{
	struct wire_answer	a = whole_of(&wire_openai_chat, *state, "{\"id\":\"c1\",\"choices\":["
		"{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"A title\",\"refusal\":null},"
		"\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":20,\"completion_tokens\":4}}");

	assert_string_equal(text_of(&a), "A title");
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed);
	assert_tokens(a.said.t, 20, 0, 0, 4);
}

static void
test_f132_a_whole_answer_that_is_no_answer_fails(void **state)
{
	static const char *const	bodies[] = { "<html>", "[]", "{}", "{\"choices\":[]}",
		"{\"error\":{\"code\":null}}", "" };

	for (size_t i = 0; i < LENGTH(bodies); i++)
		assert_true(whole_of(&wire_openai_chat, *state, bodies[i]).failed);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_a_stream_is_asked_for_with_its_usage_and_is_not_stored),
		TEST(test_a_compatible_server_is_asked_for_nothing_that_it_may_not_know),
		TEST(test_a_whole_answer_is_asked_for_with_the_instructions_first),
		TEST(test_an_answer_is_read),
		TEST(test_each_reason_to_finish_is_known),
		TEST(test_a_refusal_is_text_and_ends_as_filtered),
		TEST(test_f131_an_error_in_mid_stream_fails_the_answer),
		TEST(test_f132_three_garbage_events_are_skipped_and_a_fourth_fails),
		TEST(test_f134_of_usage_on_every_chunk_the_last_counts),
		TEST(test_f134_usage_that_never_comes_is_not_said),
		TEST(test_f135_an_emoji_comes_in_two_halves_with_another_event_between),
		TEST(test_f135_a_half_that_stays_alone_becomes_a_replacement),
		TEST(test_another_choice_is_not_the_answer),
		TEST(test_a_whole_answer_is_read),
		TEST(test_f132_a_whole_answer_that_is_no_answer_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
