/* wire_anthropic: what is asked of Messages, and what is read from its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wires.h"

#define START { "message_start", "{\"type\":\"message_start\",\"message\":{\"id\":\"msg_1\",\"role\":\"assistant\"," \
	"\"content\":[],\"stop_reason\":null,\"usage\":{\"input_tokens\":15,\"cache_creation_input_tokens\":7," \
	"\"cache_read_input_tokens\":5,\"cache_creation\":{\"ephemeral_5m_input_tokens\":4," \
	"\"ephemeral_1h_input_tokens\":3},\"output_tokens\":1}}}" }
#define BLOCK(delta) { "content_block_delta", "{\"type\":\"content_block_delta\",\"index\":0,\"delta\":" delta "}" }
#define TEXT(t) BLOCK("{\"type\":\"text_delta\",\"text\":\"" t "\"}")
#define PING { "ping", "{\"type\":\"ping\"}" }
#define DELTA(reason, usage) { "message_delta", "{\"type\":\"message_delta\",\"delta\":{\"stop_reason\":" reason "}," \
	"\"usage\":" usage "}" }
#define STOP { "message_stop", "{\"type\":\"message_stop\"}" }

static struct wire_answer
read_events(mem_ctx *mem, const char *const events[][2])
{
	return answer_of(&wire_anthropic, mem, events);
}

static void
test_a_stream_is_asked_for(void **state)
{
	assert_string_equal(written(&wire_anthropic, *state, (struct wire_request){ .system = "Be brief",
	    .stream = true }), "{\"model\":\"m\",\"max_tokens\":100,\"system\":\"Be brief\",\"messages\":["
	    "{\"role\":\"user\",\"content\":\"Hi\"},"
	    "{\"role\":\"assistant\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"a/b\"}],\"stream\":true}");
}

static void
test_a_whole_answer_is_asked_for_without_what_is_not_given(void **state)
{
	assert_string_equal(written(&wire_anthropic, *state, (struct wire_request){ 0 }),
	    "{\"model\":\"m\",\"max_tokens\":100,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"},"
	    "{\"role\":\"assistant\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"a/b\"}]}");
}

static void
test_an_answer_is_read(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ START,
		{ "content_block_start", "{\"type\":\"content_block_start\",\"index\":0,\"content_block\":{\"type\":\"text\","
		"\"text\":\"\"}}" }, PING, TEXT("Hel"), TEXT("lo"),
		{ "content_block_stop", "{\"type\":\"content_block_stop\",\"index\":0}" },
		DELTA("\"end_turn\"", "{\"output_tokens\":12,\"input_tokens\":null,\"cache_read_input_tokens\":null}"),
		STOP, { 0 } });

	assert_string_equal(text_of(&a), "Hello");
	assert_int_equal(a.deltas, 2);
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed && a.said.input && a.said.output);
	assert_tokens(a.said.t, 15, 5, 4, 12);
	assert_int_equal(a.said.t.cache_write_1h, 3);
}

static void
test_each_reason_to_stop_is_known(void **state)
{
	static const struct {
		const char		*event[2];
		enum wire_finish	finish;
	} cases[] = {
		{ DELTA("\"end_turn\"", "{}"), WIRE_STOP }, { DELTA("\"stop_sequence\"", "{}"), WIRE_STOP },
		{ DELTA("\"pause_turn\"", "{}"), WIRE_STOP }, { DELTA("\"max_tokens\"", "{}"), WIRE_LENGTH },
		{ DELTA("\"model_context_window_exceeded\"", "{}"), WIRE_LENGTH }, { DELTA("\"refusal\"", "{}"), WIRE_FILTER },
		{ DELTA("\"tool_use\"", "{}"), WIRE_TOOLS }, { DELTA("\"later\"", "{}"), WIRE_OTHER },
		{ DELTA("null", "{}"), WIRE_NONE },
	};

	for (size_t i = 0; i < LENGTH(cases); i++)
		assert_int_equal(read_events(*state, (const char *const[][2]){
		    { cases[i].event[0], cases[i].event[1] }, { 0 } }).finish, cases[i].finish);
}

static void
test_only_text_is_text(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		BLOCK("{\"type\":\"thinking_delta\",\"thinking\":\"Hm\"}"),
		BLOCK("{\"type\":\"signature_delta\",\"signature\":\"s\"}"),
		BLOCK("{\"type\":\"input_json_delta\",\"partial_json\":\"{\"}"), { "later", "{\"type\":\"later\"}" }, { 0 } });

	assert_int_equal(a.bytes, 0);
	assert_int_equal(a.deltas, 0);
	assert_false(a.failed);
}

static void
test_f131_a_stream_without_its_stop_has_not_ended(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ START, TEXT("Hel"), { 0 } });

	assert_false(a.ended || a.failed);
	assert_int_equal(a.finish, WIRE_NONE);
	assert_true(a.said.input && !a.said.output);
	assert_tokens(a.said.t, 15, 5, 4, 0);
}

static void
test_f131_an_error_in_mid_stream_fails_the_answer(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ START, TEXT("Hel"),
		{ "error", "{\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"x\"}}" },
		{ 0 } });

	assert_true(a.failed && !a.ended);
	assert_int_equal(a.verdict.status, 529);
	assert_int_equal(a.verdict.act, VERDICT_RETRY);
}

static void
test_f134_a_negative_count_is_absurd_until_the_end(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "", "{\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":-1}}}" },
		DELTA("\"end_turn\"", "{\"output_tokens\":12}"), { 0 } });

	assert_true(a.said.absurd);
}

static void
test_f135_an_emoji_comes_in_two_halves_with_a_ping_between(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ TEXT("\\ud83d"), PING,
		TEXT("\\ude00"), { 0 } });

	assert_string_equal(text_of(&a), "\xf0\x9f\x98\x80");
}

static void
test_a_whole_answer_is_read(void **state)
{
	struct wire_answer	a = whole_of(&wire_anthropic, *state, "{\"id\":\"msg_1\",\"type\":\"message\","
		"\"role\":\"assistant\",\"content\":[{\"type\":\"thinking\",\"thinking\":\"Hm\"},"
		"{\"type\":\"text\",\"text\":\"A title\"}],"
		"\"stop_reason\":\"end_turn\",\"usage\":{\"input_tokens\":15,\"cache_creation_input_tokens\":0,"
		"\"cache_read_input_tokens\":5,\"output_tokens\":12}}");

	assert_string_equal(text_of(&a), "A title");
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed && a.said.output);
	assert_tokens(a.said.t, 15, 5, 0, 12);
}

static void
test_f132_a_whole_answer_that_is_no_answer_fails(void **state)
{
	static const char *const	bodies[] = { "<html>", "{}",
		"{\"type\":\"error\",\"error\":{\"type\":\"api_error\"}}", "null" };

	for (size_t i = 0; i < LENGTH(bodies); i++)
		assert_true(whole_of(&wire_anthropic, *state, bodies[i]).failed);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_a_stream_is_asked_for),
		TEST(test_a_whole_answer_is_asked_for_without_what_is_not_given),
		TEST(test_an_answer_is_read),
		TEST(test_each_reason_to_stop_is_known),
		TEST(test_only_text_is_text),
		TEST(test_f131_a_stream_without_its_stop_has_not_ended),
		TEST(test_f131_an_error_in_mid_stream_fails_the_answer),
		TEST(test_f134_a_negative_count_is_absurd_until_the_end),
		TEST(test_f135_an_emoji_comes_in_two_halves_with_a_ping_between),
		TEST(test_a_whole_answer_is_read),
		TEST(test_f132_a_whole_answer_that_is_no_answer_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
