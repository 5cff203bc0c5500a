/* record: one plain responder's request passes, whole or in pieces; everything else is refused before libfcgi. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <cmocka.h>

#include "ask.h"
#include "fcgi.h"

static void
refused(void **state, const struct buf *b, const char *why)
{
	struct record	r;

	record_init(&r, *state);
	assert_int_equal(record_feed(&r, b->data, b->len), RECORD_REFUSED);
	assert_string_equal(r.why, why);
}

static void
test_a_request_passes(void **state)
{
	struct buf	b = { .ctx = *state };
	struct record	r;

	record_init(&r, *state);
	put_request(&b, 258, "POST", "/a", "body", NULL);
	assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
	assert_int_equal(r.id, 258);
	assert_int_equal(r.phase, RECORD_END);
	assert_int_equal(record_check(&r), OK);
	assert_string_equal(r.body.data, "body");
	assert_memory_equal(r.params.data, "\x0e\x04REQUEST_METHODPOST", 20);
}

static void
test_f24_a_request_in_single_bytes_is_the_same(void **state)
{
	struct buf	b = { .ctx = *state };
	struct record	whole, pieces;

	put_request(&b, 1, "POST", "/a", "some body", NULL);
	record_init(&whole, *state);
	record_feed(&whole, b.data, b.len);
	record_init(&pieces, *state);
	for (size_t i = 0; i < b.len; i++) {
		assert_int_equal(pieces.state, RECORD_MORE);
		record_feed(&pieces, b.data + i, 1);
	}
	assert_int_equal(pieces.state, RECORD_WHOLE);
	assert_string_equal(pieces.body.data, "some body");
	assert_int_equal(pieces.params.len, whole.params.len);
	assert_memory_equal(pieces.params.data, whole.params.data, whole.params.len);
}

static void
test_padding_is_skipped(void **state)
{
	static const char	bytes[] =
	    "\1\1\0\1\0\10\3\0" "\0\1\0\0\0\0\0\0" "\xff\xff\xff" "\1\4\0\1\0\5\1\0" "\1\2ABC" "\xff" "\1\4\0\1\0\0\2\0"
	    "\xff\xff" "\1\5\0\1\0\1\1\0" "x" "\xff" "\1\5\0\1\0\0\0\0";
	struct record		r;

	record_init(&r, *state);
	assert_int_equal(record_feed(&r, bytes, sizeof(bytes) - 1), RECORD_WHOLE);
	assert_int_equal(r.params.len, 5);
	assert_memory_equal(r.params.data, "\1\2ABC", 5);
	assert_string_equal(r.body.data, "x");
}

static void
test_f21_the_first_record_is_a_responders_begin(void **state)
{
	static const struct { const char *bytes, *why; }	rows[] = {
		{ "\2\1\0\1\0\10\0\0", "version" }, { "\0\1\0\1\0\10\0\0", "version" }, { "GET / HT", "version" },
		{ "\1\1\0\0\0\10\0\0", "management" }, { "\1\1\0\1\0\7\0\0", "begin" }, { "\1\1\0\1\0\11\0\0", "begin" },
		{ "\1\1\0\1\0\0\0\0", "begin" }, { "\1\4\0\1\0\10\0\0", "begin" }, { "\1\2\0\1\0\0\0\0", "begin" },
		{ "\1\1\0\1\0\10\0\0" "\0\0\0\0\0\0\0\0", "role" }, { "\1\1\0\1\0\10\0\0" "\0\2\0\0\0\0\0\0", "role" },
		{ "\1\1\0\1\0\10\0\0" "\0\3\0\0\0\0\0\0", "role" }, { "\1\1\0\1\0\10\0\0" "\1\1\0\0\0\0\0\0", "role" },
	};
	struct buf	b = { .ctx = *state };

	for (size_t i = 0; i < LENGTH(rows); i++) {
		b.len = 0;
		buf_put(&b, rows[i].bytes, 8);
		if (strcmp(rows[i].why, "role") == 0)
			buf_put(&b, rows[i].bytes + 8, 8);
		refused(state, &b, rows[i].why);
	}
}

static void
test_f22_a_management_record_anywhere(void **state)
{
	struct buf	b = { .ctx = *state }, whole = { .ctx = *state };
	const size_t	places[] = { 0, 16 };

	put_request(&whole, 1, "POST", "/", "body", NULL);
	for (size_t i = 0; i < LENGTH(places); i++) {
		b.len = 0;
		buf_put(&b, whole.data, places[i]);
		put_record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16);
		refused(state, &b, "management");
	}
	b.len = 0;
	buf_put(&b, whole.data, whole.len - 8);
	put_record(&b, GET_VALUES, 0, "\x0e\0FCGI_MAX_CONNS", 16);
	refused(state, &b, "management");
}

static void
test_f28_an_abort_anywhere(void **state)
{
	struct buf	b = { .ctx = *state };

	put_request(&b, 1, "POST", "/", "body", NULL);
	b.len -= 8;
	put_record(&b, ABORT, 1, NULL, 0);
	refused(state, &b, "abort");
	b.len = 0;
	put_begin(&b, 1, 1, 0);
	put_record(&b, ABORT, 1, NULL, 0);
	refused(state, &b, "abort");
}

static void
test_streams_out_of_order(void **state)
{
	static const int	types[] = { STDIN, DATA, STDOUT, END, BEGIN, 11, 255 };
	struct buf		b = { .ctx = *state };

	for (size_t i = 0; i < LENGTH(types); i++) {
		b.len = 0;
		put_begin(&b, 1, 1, 0);
		put_record(&b, types[i], 1, "12345678", 8);
		refused(state, &b, "type");
	}
	b.len = 0;
	put_begin(&b, 1, 1, 0);
	put_record(&b, PARAMS, 1, NULL, 0);
	put_record(&b, PARAMS, 1, NULL, 0);
	refused(state, &b, "type");
}

static void
test_f27_a_second_request_is_told_to_use_another_connection(void **state)
{
	struct buf	b = { .ctx = *state }, second = { .ctx = *state };
	struct record	r;
	struct reply	reply;

	put_begin(&b, 1, 1, 0);
	put_request(&second, 2, "POST", "/second", "second", NULL);
	buf_put(&b, second.data, second.len);
	put_stream(&b, PARAMS, 1, "\1\1AB", 4);
	put_stream(&b, STDIN, 1, "first", 5);
	record_init(&r, *state);
	assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
	assert_int_equal(r.id, 1);
	assert_int_equal(r.params.len, 4);
	assert_string_equal(r.body.data, "first");
	reply = read_reply(*state, &r.reply, 2);
	assert_int_equal(reply.ended, 1);
}

static void
test_f26_what_follows_the_request_is_not_read(void **state)
{
	struct buf	b = { .ctx = *state };
	struct record	r;

	put_request(&b, 1, "POST", "/first", "first", NULL);
	put_request(&b, 1, "GET", "/forged", "forged", NULL);
	record_init(&r, *state);
	assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
	assert_string_equal(r.body.data, "first");
	assert_null(memmem(r.params.data, r.params.len, "forged", 6));
}

/* The pairs as record would have gathered them. */
static enum err
check_pairs(void **state, const char *bytes, size_t n)
{
	struct record	r;

	record_init(&r, *state);
	buf_put(&r.params, bytes, n);
	return record_check(&r);
}

static void
test_f23_lengths_that_do_not_fit(void **state)
{
	static const struct { const char *bytes; size_t n; }	rows[] = {
		{ "\xff\xff\xff\xff\xff\xff\xff\xff", 8 }, { "\x01\xff\xff\xff\xff" "A", 6 }, { "\xff\xff\xff\xff", 4 },
		{ "\x80", 1 }, { "\x80\0\0", 3 }, { "\x01", 1 }, { "\x01\x80\0\0", 4 }, { "\x01\x01" "A", 3 },
		{ "\x02\x00" "A", 3 }, { "\x01\x02" "AB", 4 }, { "\xff\xff\xff\xff\x01" "AB", 7 },
		{ "\x01\x01" "AB" "\x01", 5 }, { "\x81\0\0\x01\0" "A", 6 }, { "\x80\x01\0\x01\0" "A", 6 },
		{ "\x80\0\x01\x01\0" "A", 6 },
	};

	for (size_t i = 0; i < LENGTH(rows); i++)
		if (check_pairs(state, rows[i].bytes, rows[i].n) != ERR_CLOSED)
			fail_msg("row %zu", i);
}

static void
test_f04_names_and_values(void **state)
{
	static const struct { enum err wanted; const char *name; const char *value; size_t n; }	rows[] = {
		{ OK, "HTTP_A", "", 0 }, { OK, "HTTP_A", "a\tb \xc3\xa9\xff", 7 }, { OK, "nokeepalive", "1", 1 },
		{ OK, "A1_b", "x", 1 }, { OK, "SERVER_SIGNATURE", "<address>\n", 10 },
		{ ERR_BAD_REQUEST, "SERVER_SIGNATURE", "a\0b", 3 }, { ERR_BAD_REQUEST, "", "x", 1 },
		{ ERR_BAD_REQUEST, "A=B", "x", 1 }, { ERR_BAD_REQUEST, "A-B", "x", 1 },
		{ ERR_BAD_REQUEST, "A B", "x", 1 }, { ERR_BAD_REQUEST, "A\nB", "x", 1 },
		{ ERR_BAD_REQUEST, "\xc3\xa9", "x", 1 }, { ERR_BAD_REQUEST, "HTTP_A", "\0", 1 },
		{ ERR_BAD_REQUEST, "HTTP_A", "a\0b", 3 }, { ERR_BAD_REQUEST, "HTTP_A", "a\r\n", 3 },
		{ ERR_BAD_REQUEST, "HTTP_A", "\x7f", 1 }, { ERR_BAD_REQUEST, "REQUEST_URI", "/\x01", 2 },
		{ ERR_BAD_REQUEST, "CONTENT_TYPE", "\n", 1 }, { ERR_BAD_REQUEST, "QUERY_STRING", "\x1f", 1 },
	};
	struct buf	b = { .ctx = *state };

	for (size_t i = 0; i < LENGTH(rows); i++) {
		b.len = 0;
		put_pair(&b, rows[i].name, strlen(rows[i].name), rows[i].value, rows[i].n);
		if (check_pairs(state, b.data, b.len) != rows[i].wanted)
			fail_msg("row %zu, %s", i, rows[i].name);
	}
	b.len = 0;
	put_pair(&b, "A\0B", 3, "x", 1);
	assert_int_equal(check_pairs(state, b.data, b.len), ERR_BAD_REQUEST);
}

static void
test_f10_at_most_256_parameters(void **state)
{
	struct buf	b = { .ctx = *state };

	for (int i = 0; i < 256; i++)
		put_pair(&b, "A", 1, "", 0);
	assert_int_equal(check_pairs(state, b.data, b.len), OK);
	put_pair(&b, "A", 1, "", 0);
	assert_int_equal(check_pairs(state, b.data, b.len), ERR_HEADERS);
	assert_int_equal(check_pairs(state, "", 0), OK);
}

static void
test_f10_at_most_64_kib_of_parameters(void **state)
{
	static char	value[HTTP_MAX_HEADER_BYTES];
	struct buf	b = { .ctx = *state }, pairs = { .ctx = *state };
	struct record	r;

	memset(value, 'a', sizeof(value));
	for (size_t over = 0; over < 2; over++) {
		b.len = pairs.len = 0;
		put_pair(&pairs, "A", 1, value, sizeof(value) - 6 + over);
		put_begin(&b, 1, 1, 0);
		put_stream(&b, PARAMS, 1, pairs.data, pairs.len);
		put_stream(&b, STDIN, 1, "", 0);
		record_init(&r, *state);
		assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
		assert_int_equal(record_check(&r), over ? ERR_HEADERS : OK);
		assert_in_range(r.params.len, 1, HTTP_MAX_HEADER_BYTES);
	}
}

static void
test_f08_at_most_a_mebibyte_of_body(void **state)
{
	struct buf	b = { .ctx = *state };
	char		*body = talloc_zero_size(*state, RECORD_MAX_BODY + 1);
	struct record	r;

	for (size_t over = 0; over < 2; over++) {
		b.len = 0;
		put_begin(&b, 1, 1, 0);
		put_stream(&b, PARAMS, 1, "", 0);
		put_stream(&b, STDIN, 1, body, RECORD_MAX_BODY + over);
		record_init(&r, *state);
		assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
		assert_int_equal(r.body_over, over);
		assert_in_range(r.body.len, RECORD_MAX_BODY - 65536, RECORD_MAX_BODY);
	}
}

static void
test_the_head_that_libfcgi_gets_is_plain(void **state)
{
	struct buf	b = { .ctx = *state }, pairs = { .ctx = *state }, head = { .ctx = *state };
	struct record	r, again;

	put_begin(&b, 7, 1, 255);
	put_pair(&pairs, "A", 1, "b", 1);
	for (size_t i = 0; i < pairs.len; i++)
		put_record(&b, PARAMS, 7, pairs.data + i, 1);
	put_record(&b, PARAMS, 7, NULL, 0);
	put_stream(&b, STDIN, 7, "x", 1);
	record_init(&r, *state);
	record_feed(&r, b.data, b.len);
	record_head(&r, true, &head);
	assert_int_equal(head.len, 16 + 8 + pairs.len + 8 + 8);
	assert_int_equal(head.data[10], 0);
	record_init(&again, *state);
	assert_int_equal(record_feed(&again, head.data, head.len), RECORD_WHOLE);
	assert_int_equal(again.id, 7);
	assert_memory_equal(again.params.data, pairs.data, pairs.len);
	assert_int_equal(again.body.len, 0);
}

static enum record_state
read_from_peer(void **state, const char *bytes, size_t n, struct record *r)
{
	int			ends[2];
	enum record_state	state_then;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[1], bytes, n), n);
	close(ends[1]);
	record_init(r, *state);
	state_then = record_read(r, ends[0]);
	close(ends[0]);
	return state_then;
}

static void
test_f25_a_peer_that_leaves_at_any_byte(void **state)
{
	struct buf	b = { .ctx = *state };
	struct record	r;

	put_request(&b, 1, "POST", "/", "body", NULL);
	for (size_t n = 1; n < b.len; n++) {
		assert_int_equal(read_from_peer(state, b.data, n, &r), RECORD_REFUSED);
		assert_string_equal(r.why, "cut");
	}
	assert_int_equal(read_from_peer(state, b.data, b.len, &r), RECORD_WHOLE);
	assert_int_equal(read_from_peer(state, b.data, 0, &r), RECORD_REFUSED);
	assert_null(r.why);
}

/* How it ends when its first n bytes have come and ms have gone by since it was accepted. */
static enum record_state
read_after(void **state, const struct buf *b, size_t n, int64_t ms, struct record *r)
{
	int			ends[2];
	enum record_state	state_then;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	record_init(r, *state);
	record_feed(r, b->data, n);
	r->began -= ms;
	state_then = record_read(r, ends[0]);
	close(ends[0]);
	close(ends[1]);
	return state_then;
}

/* Two seconds for the head, ten for all. Its body is what is missing of the last 12 bytes. */
static void
test_f24_head_and_body_have_a_deadline_each(void **state)
{
	struct buf	b = { .ctx = *state };
	struct record	r;

	put_request(&b, 1, "POST", "/", "body", NULL);
	assert_int_equal(read_after(state, &b, 0, 1500, &r), RECORD_MORE);
	assert_int_equal(read_after(state, &b, 0, 2000, &r), RECORD_REFUSED);
	assert_string_equal(r.why, "late");
	assert_int_equal(read_after(state, &b, 40, 1500, &r), RECORD_MORE);
	assert_int_equal(read_after(state, &b, 40, 2000, &r), RECORD_REFUSED);
	assert_int_equal(read_after(state, &b, b.len - 9, 9500, &r), RECORD_MORE);
	assert_int_equal(read_after(state, &b, b.len - 9, 10000, &r), RECORD_REFUSED);
	assert_string_equal(r.why, "late");
}

/* The rest of a record of another request is skipped, whatever its type, with its padding. */
static void
test_f27_records_of_another_request_leave_ours_alone(void **state)
{
	static const int	types[] = { ABORT, PARAMS, STDIN, DATA, 77 };
	struct buf		b = { .ctx = *state };
	struct record		r;

	put_begin(&b, 1, 1, 0);
	for (size_t i = 0; i < LENGTH(types); i++)
		put_record(&b, types[i], 257, "foreign", 7);
	put_record(&b, PARAMS, 1, "\1\1", 2);
	for (size_t i = 0; i < LENGTH(types); i++)
		put_record(&b, types[i], 256, i == 0 ? NULL : "foreign", i == 0 ? 0 : 7);
	put_stream(&b, PARAMS, 1, "AB", 2);
	put_record(&b, STDIN, 1, "ou", 2);
	for (size_t i = 0; i < LENGTH(types); i++)
		put_record(&b, types[i], 256, i == 0 ? NULL : "foreign", i == 0 ? 0 : 7);
	put_stream(&b, STDIN, 1, "rs", 2);
	record_init(&r, *state);
	assert_int_equal(record_feed(&r, b.data, b.len), RECORD_WHOLE);
	assert_int_equal(r.params.len, 4);
	assert_string_equal(r.body.data, "ours");
	assert_int_equal(r.reply.len, 0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_a_request_passes), TEST(test_f24_a_request_in_single_bytes_is_the_same),
		TEST(test_padding_is_skipped), TEST(test_f21_the_first_record_is_a_responders_begin),
		TEST(test_f22_a_management_record_anywhere), TEST(test_f28_an_abort_anywhere), TEST(test_streams_out_of_order),
		TEST(test_f27_a_second_request_is_told_to_use_another_connection),
		TEST(test_f26_what_follows_the_request_is_not_read), TEST(test_f23_lengths_that_do_not_fit),
		TEST(test_f04_names_and_values), TEST(test_f10_at_most_256_parameters),
		TEST(test_f10_at_most_64_kib_of_parameters), TEST(test_f08_at_most_a_mebibyte_of_body),
		TEST(test_the_head_that_libfcgi_gets_is_plain), TEST(test_f25_a_peer_that_leaves_at_any_byte),
		TEST(test_f24_head_and_body_have_a_deadline_each),
		TEST(test_f27_records_of_another_request_leave_ours_alone),
	};

	mem_init();
	return cmocka_run_group_tests_name("record", tests, NULL, NULL);
}
