/* sse: events, however their bytes come. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "sse.h"
#include "unit.h"

/* The events that are whole, as "name=data|name=data|". */
static void
read_all(struct sse *s, struct buf *out)
{
	struct sse_event	e;

	while (sse_read(s, &e)) {
		assert_int_equal(strlen(e.data), e.len);
		buf_printf(out, "%s=%s|", e.name, e.data);
	}
}

/* In pieces of this size, with an end. Each event is read as soon as it can be. */
static const char *
events(mem_ctx *mem, const char *text, size_t piece)
{
	struct sse	*s = sse_new(mem);
	struct buf	out = { .ctx = mem };

	buf_put(&out, "", 0);
	for (size_t n = strlen(text), now; n > 0; text += now, n -= now) {
		now = n < piece ? n : piece;
		assert_int_equal(sse_put(s, mem_copy(mem, text, now), now), OK);
		read_all(s, &out);
	}
	sse_end(s);
	read_all(s, &out);
	return out.data;
}

static void
check(mem_ctx *mem, const char *text, const char *expected)
{
	for (size_t piece = 1; piece <= strlen(text) + 1; piece++)
		assert_string_equal(events(mem, text, piece), expected);
}

static void
test_c78_events_are_read_however_their_bytes_are_cut(void **state)
{
	check(*state, "data: {\"a\":1}\n\nevent: ping\ndata: {}\n\n", "={\"a\":1}|ping={}|");
	check(*state, "data:a\ndata: b\ndata\ndata:  c\n\n", "=a\nb\n\n c|");
	check(*state, "data: \xf0\x9f\x98\x80: x\n\n", "=\xf0\x9f\x98\x80: x|");
	check(*state, "event: a\nevent: b\ndata: 1\n\ndata: 2\n\n", "b=1|=2|");
	check(*state, "", "");
}

static void
test_f135_lines_end_with_lf_cr_lf_or_cr(void **state)
{
	check(*state, "data: a\r\n\r\ndata: b\r\rdata: c\n\n", "=a|=b|=c|");
	check(*state, "data: a\r\ndata: b\rdata: c\n\r\n", "=a\nb\nc|");
	check(*state, "data: a\n\r\ndata: b\n\r", "=a|=b|");
	check(*state, "data: a\r\rdata: b\ndata: c\n\ndata: d\n\n", "=a|=b\nc|=d|");
}

static void
test_f132_what_is_no_event_is_skipped(void **state)
{
	check(*state, ": ping\n\n: ping\n\n", "");
	check(*state, "event: empty\n\nid: 1\nretry: 5\nfoo: bar\nDATA: x\n data: x\ndatax: x\n\n", "");
	check(*state, "data\n\n", "=|");
	check(*state, "\xef\xbb\xbf" "data: a\n\n\xef\xbb\xbf" "data: b\n\n", "=a|");
	check(*state, "<html>\n<body>: data\n", "");
}

static void
test_f131_the_last_event_needs_no_empty_line(void **state)
{
	check(*state, "data: a\n\ndata: [DONE]", "=a|=[DONE]|");
	check(*state, "data: a\n\nevent: x\ndata: b\n", "=a|x=b|");
	check(*state, "data: a\r", "=a|");
}

static void
test_c78_an_event_is_read_once_its_empty_line_has_come(void **state)
{
	struct sse		*s = sse_new(*state);
	struct sse_event	e;

	assert_int_equal(sse_put(s, "data: a\n", 8), OK);
	assert_false(sse_read(s, &e));
	assert_int_equal(sse_put(s, "\ndata: b\n\nda", 12), OK);
	assert_true(sse_read(s, &e));
	assert_string_equal(e.data, "a");
	assert_true(sse_read(s, &e));
	assert_string_equal(e.data, "b");
	assert_false(sse_read(s, &e));
}

/* A line, or lines of an event, of so many bytes in all. */
static enum err
put_lines(struct sse *s, mem_ctx *mem, const char *start, size_t n)
{
	char	*line = talloc_size(mem, n);

	memset(line, 'x', n);
	memcpy(line, start, strlen(start));
	return sse_put(s, line, n);
}

static void
test_f133_an_event_of_256_kib_is_read_and_one_byte_more_is_not(void **state)
{
	struct sse		*s = sse_new(*state);
	struct sse_event	e;

	assert_int_equal(put_lines(s, *state, "data: ", SSE_MAX_EVENT), OK);
	assert_int_equal(sse_put(s, "\n\ndata: b\n\n", 11), OK);
	assert_true(sse_read(s, &e));
	assert_int_equal(e.len, SSE_MAX_EVENT - 6);
	assert_true(sse_read(s, &e));
	assert_string_equal(e.data, "b");
	assert_int_equal(put_lines(s, *state, "data: ", SSE_MAX_EVENT), OK);
	assert_int_equal(sse_put(s, "x", 1), ERR_TOO_LARGE);
	assert_int_equal(sse_put(s, "\n\ndata: c\n\n", 11), ERR_TOO_LARGE);
	sse_end(s);
	assert_false(sse_read(s, &e));
}

static void
test_f133_lines_of_one_event_count_together_and_events_do_not(void **state)
{
	struct sse		*s = sse_new(*state);
	struct sse_event	e;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(put_lines(s, *state, "data: ", SSE_MAX_EVENT / 2), OK);
		assert_int_equal(sse_put(s, "\n\n", 2), OK);
	}
	for (int i = 0; i < 3; i++)
		assert_true(sse_read(s, &e));
	assert_int_equal(put_lines(s, *state, "data: ", SSE_MAX_EVENT / 2), OK);
	assert_int_equal(sse_put(s, "\n", 1), OK);
	assert_int_equal(put_lines(s, *state, "data: ", SSE_MAX_EVENT / 2), OK);
	assert_int_equal(sse_put(s, "\ndata: 12345678", 15), ERR_TOO_LARGE);
	s = sse_new(*state);
	assert_int_equal(put_lines(s, *state, ": ", SSE_MAX_EVENT + 1), ERR_TOO_LARGE);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_c78_events_are_read_however_their_bytes_are_cut),
		TEST(test_f135_lines_end_with_lf_cr_lf_or_cr),
		TEST(test_f132_what_is_no_event_is_skipped),
		TEST(test_f131_the_last_event_needs_no_empty_line),
		TEST(test_c78_an_event_is_read_once_its_empty_line_has_come),
		TEST(test_f133_an_event_of_256_kib_is_read_and_one_byte_more_is_not),
		TEST(test_f133_lines_of_one_event_count_together_and_events_do_not),
	};

	mem_init();
	return cmocka_run_group_tests_name("sse", tests, NULL, NULL);
}
