/* wire_openai_responses: what is asked of Responses, and what is read from its answers. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "wires.h"

#define TEXT(t) "{\"type\":\"response.output_text.delta\",\"item_id\":\"i1\",\"output_index\":0," \
	"\"content_index\":0,\"delta\":\"" t "\",\"sequence_number\":4}"
#define USAGE "\"usage\":{\"input_tokens\":20,\"output_tokens\":12,\"total_tokens\":32," \
	"\"input_tokens_details\":{\"cached_tokens\":5,\"cache_write_tokens\":0}," \
	"\"output_tokens_details\":{\"reasoning_tokens\":8}}"
#define END(name, details, error) "{\"type\":\"response." name "\",\"sequence_number\":7,\"response\":{\"id\":\"r1\"," \
	"\"status\":\"" name "\",\"incomplete_details\":" details ",\"error\":" error "," USAGE "}}"
#define COMPLETED END("completed", "null", "null")

static struct wire_answer
read_events(mem_ctx *mem, const char *const events[][2])
{
	return answer_of(&wire_openai_responses, mem, events);
}

static void
test_a_stream_is_asked_for_and_not_stored(void **state)
{
	assert_string_equal(written(&wire_openai_responses, *state, (struct wire_request){ .system = "Be brief",
	    .stream = true }),
	    "{\"model\":\"m\",\"instructions\":\"Be brief\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},"
	    "{\"role\":\"assistant\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"a/b\"}],"
	    "\"max_output_tokens\":100,\"store\":false,\"stream\":true}");
}

static void
test_a_whole_answer_is_asked_for_without_what_is_not_given(void **state)
{
	assert_string_equal(written(&wire_openai_responses, *state, (struct wire_request){ 0 }),
	    "{\"model\":\"m\",\"input\":[{\"role\":\"user\",\"content\":\"Hi\"},"
	    "{\"role\":\"assistant\",\"content\":\"Hello\"},{\"role\":\"user\",\"content\":\"a/b\"}],"
	    "\"max_output_tokens\":100,\"store\":false}");
}

static void
test_an_answer_is_read(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "response.created", "{\"type\":\"response.created\",\"response\":{\"status\":\"in_progress\"}}" },
		{ "response.output_text.delta", TEXT("Hel") }, { "response.output_text.delta", TEXT("lo") },
		{ "response.output_text.done", "{\"type\":\"response.output_text.done\",\"text\":\"Hello\"}" },
		{ "response.completed", COMPLETED }, { 0 } });

	assert_string_equal(text_of(&a), "Hello");
	assert_int_equal(a.deltas, 2);
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed);
	assert_tokens(a.said.t, 15, 5, 0, 12);
}

static void
test_an_event_is_known_by_its_name_where_the_data_has_no_type(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "response.output_text.delta", "{\"delta\":\"Hi\"}" },
		{ "response.completed", "{\"response\":{}}" }, { 0 } });

	assert_string_equal(text_of(&a), "Hi");
	assert_true(a.ended);
}

static void
test_each_way_to_be_incomplete_is_known(void **state)
{
	static const struct {
		const char		*event;
		enum wire_finish	finish;
	} cases[] = {
		{ END("incomplete", "{\"reason\":\"max_output_tokens\"}", "null"), WIRE_LENGTH },
		{ END("incomplete", "{\"reason\":\"content_filter\"}", "null"), WIRE_FILTER },
		{ END("incomplete", "{\"reason\":\"max_messages\"}", "null"), WIRE_OTHER },
		{ END("incomplete", "null", "null"), WIRE_OTHER },
	};
	struct wire_answer	a;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		a = read_events(*state, (const char *const[][2]){ { "", cases[i].event }, { 0 } });
		assert_int_equal(a.finish, cases[i].finish);
		assert_true(a.ended && !a.failed);
		assert_int_equal(a.said.t.output, 12);
	}
}

static void
test_a_refusal_is_text_and_ends_as_filtered(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){
		{ "", "{\"type\":\"response.refusal.delta\",\"delta\":\"I cannot\"}" }, { "", COMPLETED }, { 0 } });

	assert_string_equal(text_of(&a), "I cannot");
	assert_int_equal(a.finish, WIRE_FILTER);
}

static void
test_f131_each_error_in_mid_stream_fails_the_answer(void **state)
{
	static const struct {
		const char	*event;
		int		status;
	} cases[] = {
		{ END("failed", "null", "{\"code\":\"server_error\",\"message\":\"x\"}"), 500 },
		{ END("failed", "null", "{\"code\":\"rate_limit_exceeded\",\"message\":\"x\"}"), 429 },
		{ END("failed", "null", "null"), 500 },
		{ "{\"type\":\"error\",\"code\":\"server_is_overloaded\",\"message\":\"x\",\"param\":null}", 503 },
		{ "{\"type\":\"error\",\"error\":{\"type\":\"server_error\",\"code\":null}}", 500 },
	};
	struct wire_answer	a;

	for (size_t i = 0; i < LENGTH(cases); i++) {
		a = read_events(*state, (const char *const[][2]){ { "", TEXT("Hel") }, { "", cases[i].event }, { 0 } });
		assert_true(a.failed && !a.ended);
		assert_int_equal(a.verdict.status, cases[i].status);
	}
}

static void
test_f135_an_emoji_comes_in_two_halves_with_another_event_between(void **state)
{
	struct wire_answer	a = read_events(*state, (const char *const[][2]){ { "", TEXT("\\ud83d") },
		{ "", "{\"type\":\"response.in_progress\"}" }, { "", TEXT("\\ude00") }, { 0 } });

	assert_string_equal(text_of(&a), "\xf0\x9f\x98\x80");
}

static void
test_a_whole_answer_is_read(void **state)
{
	struct wire_answer	a = whole_of(&wire_openai_responses, *state, "{\"id\":\"r1\",\"object\":\"response\","
		"\"status\":\"completed\",\"output\":[{\"type\":\"reasoning\",\"summary\":[]},{\"type\":\"message\","
		"\"content\":[{\"type\":\"output_text\",\"text\":\"A \",\"annotations\":[]},"
		"{\"type\":\"output_text\",\"text\":\"title\"}]}]," USAGE "}");

	assert_string_equal(text_of(&a), "A title");
	assert_int_equal(a.finish, WIRE_STOP);
	assert_true(a.ended && !a.failed);
	assert_tokens(a.said.t, 15, 5, 0, 12);
}

static void
test_f132_a_whole_answer_that_is_no_answer_fails(void **state)
{
	static const char *const	bodies[] = { "<html>", "{}",
		"{\"status\":\"failed\",\"error\":{\"code\":\"server_error\"}}",
		"{\"status\":\"queued\",\"output\":{}}", "{\"status\":7}" };

	for (size_t i = 0; i < LENGTH(bodies); i++)
		assert_true(whole_of(&wire_openai_responses, *state, bodies[i]).failed);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_a_stream_is_asked_for_and_not_stored),
		TEST(test_a_whole_answer_is_asked_for_without_what_is_not_given),
		TEST(test_an_answer_is_read),
		TEST(test_an_event_is_known_by_its_name_where_the_data_has_no_type),
		TEST(test_each_way_to_be_incomplete_is_known),
		TEST(test_a_refusal_is_text_and_ends_as_filtered),
		TEST(test_f131_each_error_in_mid_stream_fails_the_answer),
		TEST(test_f135_an_emoji_comes_in_two_halves_with_another_event_between),
		TEST(test_a_whole_answer_is_read),
		TEST(test_f132_a_whole_answer_that_is_no_answer_fails),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
