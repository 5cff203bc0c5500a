/* request: what is decided from the parameters before any handler. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ask.h"
#include "request.h"

static enum err
read_request(void **state, struct http_req *q, const char *method, const char *uri)
{
	ask(q, *state, "REQUEST_METHOD", method, "REQUEST_URI", uri, "SERVER_PROTOCOL", "HTTP/1.1", "REMOTE_ADDR",
	    "192.0.2.1", NULL);
	return request_read(q);
}

static void
check_uris(void **state, enum err wanted, const char *const *uris, size_t n)
{
	struct http_req	q;

	for (size_t i = 0; i < n; i++)
		if (read_request(state, &q, "GET", uris[i]) != wanted)
			fail_msg("%s: not %s", uris[i], err_info(wanted)->name);
}

static void
test_f01_methods(void **state)
{
	static const char *const	known[] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS",
	    "TRACE", "CONNECT" };
	static const char *const	others[] = { "", "get", "trace", "BREW", "PROPFIND", "GET ", "GETX", "G\xc3\x89T" };
	struct http_req			q;

	for (size_t i = 0; i < LENGTH(known); i++) {
		assert_int_equal(read_request(state, &q, known[i], "/"), OK);
		assert_string_equal(q.method, known[i]);
	}
	for (size_t i = 0; i < LENGTH(others); i++) {
		assert_int_equal(read_request(state, &q, others[i], "/"), ERR_UNKNOWN_METHOD);
		assert_string_equal(q.method, "-");
	}
}

/* What Apache says beside its own GET for the page about a method that it refuses. */
static void
test_f01_a_method_that_the_server_has_refused(void **state)
{
	static const struct {
		const char	*status, *method, *read;
	} table[] = { { "405", "TRACE", "TRACE" }, { "404", "POST", "GET" }, { "200", "POST", "GET" } };
	struct http_req	q;

	for (size_t i = 0; i < LENGTH(table); i++) {
		ask(&q, *state, "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "SERVER_PROTOCOL", "HTTP/1.1", "REMOTE_ADDR",
		    "192.0.2.1", "REDIRECT_STATUS", table[i].status, "REDIRECT_REQUEST_METHOD", table[i].method, NULL);
		assert_int_equal(request_read(&q), OK);
		assert_string_equal(q.method, table[i].read);
	}
}

static void
test_f02_a_parameter_that_the_server_must_set(void **state)
{
	struct http_req		q;
	struct http_param	kept;

	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(read_request(state, &q, "GET", "/"), OK);
		kept = q.params[0];
		((struct http_param *)q.params)[0] = q.params[i];
		((struct http_param *)q.params)[i] = kept;
		q.params++;
		q.n_params--;
		assert_int_equal(request_read(&q), ERR_BAD_REQUEST);
	}
}

static void
test_f03_a_parameter_that_decides_given_twice(void **state)
{
	static const char *const	names[] = {
		"REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL", "REMOTE_ADDR", "CONTENT_LENGTH", "CONTENT_TYPE",
		"HTTP_HOST", "HTTP_ORIGIN", "HTTP_AUTHORIZATION", "HTTP_SEC_FETCH_SITE", "HTTP_STRIPE_SIGNATURE"
	};
	struct http_req			q;

	for (size_t i = 0; i < LENGTH(names); i++) {
		ask(&q, *state, "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "SERVER_PROTOCOL", "HTTP/1.1", "REMOTE_ADDR",
		    "::1", names[i], "GET", names[i], "GET", NULL);
		if (request_read(&q) != ERR_BAD_REQUEST)
			fail_msg("accepted twice: %s", names[i]);
	}
}

static void
test_f06_the_address_is_the_web_servers_word(void **state)
{
	struct http_req	q;

	ask(&q, *state, "HTTP_X_FORWARDED_FOR", "203.0.113.9", "HTTP_X_REAL_IP", "203.0.113.9", "REQUEST_METHOD", "GET",
	    "REQUEST_URI", "/", "SERVER_PROTOCOL", "HTTP/1.1", "REMOTE_ADDR", "192.0.2.1", NULL);
	assert_int_equal(request_read(&q), OK);
	assert_string_equal(q.remote_addr, "192.0.2.1");
}

static void
test_f02_peers_without_an_address_count_as_one(void **state)
{
	static const struct { const char *told, *read; }	rows[] = {
		{ "192.0.2.1", "192.0.2.1" }, { "2001:db8::1", "2001:db8::1" }, { "::ffff:192.0.2.1", "::ffff:192.0.2.1" },
		{ "unix:", "0.0.0.0" }, { "fe80::1%eth0", "0.0.0.0" }, { "", "0.0.0.0" }, { "192.0.2.1:80", "0.0.0.0" },
		{ "192.0.2.0/24", "0.0.0.0" }, { "a name", "0.0.0.0" },
	};
	struct http_req	q;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		ask(&q, *state, "REQUEST_METHOD", "GET", "REQUEST_URI", "/", "SERVER_PROTOCOL", "HTTP/1.1", "REMOTE_ADDR",
		    rows[i].told, NULL);
		assert_int_equal(request_read(&q), OK);
		assert_string_equal(q.remote_addr, rows[i].read);
	}
}

static void
test_f11_a_path_is_decoded_once(void **state)
{
	static const struct { const char *uri, *path; }	rows[] = {
		{ "/", "/" }, { "/signup", "/signup" }, { "/%73ignup", "/signup" }, { "/a%2541", "/a%41" }, { "/a+b", "/a+b" },
		{ "/a/", "/a/" }, { "/a?b=c", "/a" }, { "/a?", "/a" }, { "/a?b?c=/../", "/a" },
		{ "/caf%C3%A9", "/caf\xc3\xa9" }, { "/a;b=c&d", "/a;b=c&d" },
		{ "/...", "/..." }, { "/a%20b", "/a b" }, { "/a%3Fb", "/a?b" },
	};
	struct http_req	q;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(read_request(state, &q, "GET", rows[i].uri), OK);
		assert_string_equal(q.path, rows[i].path);
	}
}

static void
test_f16_a_target_in_absolute_form(void **state)
{
	static const struct { const char *uri, *authority, *path, *query; }	rows[] = {
		{ "http://localhost/signup?a=b", "localhost", "/signup", "a=b" }, { "HTTPS://a:1/", "a:1", "/", "" },
		{ "http://a", "a", "/", "" }, { "http://a?b=/c", "a", "/", "b=/c" }, { "http://u@a/b", "u@a", "/b", "" },
		{ "http:///b", "", "/b", "" }, { "/b?http://a/", NULL, "/b", "http://a/" },
	};
	struct http_req	q;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(read_request(state, &q, "GET", rows[i].uri), OK);
		assert_string_equal(q.authority != NULL ? q.authority : "none",
		    rows[i].authority != NULL ? rows[i].authority : "none");
		assert_string_equal(q.path, rows[i].path);
		assert_string_equal(q.query, rows[i].query);
	}
}

static void
test_f11_paths_that_cannot_be_read(void **state)
{
	static const char *const	uris[] = {
		"", "*", "signup", "ftp://localhost/signup", "http:/signup",
		"http://a/b c", "http://a#b", "//%00", "/%00", "/a%00b", "/%", "/%2", "/%zz", "/%c0%af", "/%ff",
		"/%ed%a0%80", "/\xc3\xa9", "/\xff", "/a b", "/a\tb", "/a\x7f", "/%0a", "/%1f", "/%7f", "/a#b", "?a=b"
	};

	check_uris(state, ERR_BAD_REQUEST, uris, LENGTH(uris));
}

static void
test_f11_paths_that_no_route_has(void **state)
{
	static const char *const	uris[] = {
		"//", "//a", "/a//b", "/a//", "/.", "/..", "/./a", "/../a", "/a/.", "/a/..", "/a/../b", "/%2e%2e/a", "/a/%2E",
		"/a%2Fb", "/a%2fb", "/%2f", "/a%2f..%2fb", "/\\", "/a\\b", "/a%5Cb", "/..?a=b"
	};

	check_uris(state, ERR_NOT_FOUND, uris, LENGTH(uris));
}

static void
test_f11_nine_kilobytes(void **state)
{
	char		uri[9217];
	struct http_req	q;

	memset(uri, 'a', sizeof(uri));
	uri[0] = '/';
	uri[sizeof(uri) - 1] = '\0';
	assert_int_equal(read_request(state, &q, "GET", uri), ERR_BAD_REQUEST);
	uri[REQUEST_MAX_PATH] = '\0';
	assert_int_equal(read_request(state, &q, "GET", uri), OK);
}

static void
test_f12_a_parameter_that_cannot_be_read(void **state)
{
	static const char *const	uris[] = {
		"/?t=%", "/?t=%zz", "/?t=%00", "/?t=%ff", "/?t=1&t=2", "/?t=1&%74=2", "/?t&t"
	};
	struct http_req			q;
	const char			*t;

	check_uris(state, OK, uris, LENGTH(uris));
	for (size_t i = 0; i < LENGTH(uris); i++) {
		assert_int_equal(read_request(state, &q, "GET", uris[i]), OK);
		if (http_query(&q, "t", &t) != ERR_BAD_REQUEST)
			fail_msg("read: %s", uris[i]);
	}
}

static void
test_f12_parameters_of_others_never_matter(void **state)
{
	static const char *const	uris[] = {
		"/?utm=save50%off&t=1", "/?t=1&a=%00", "/?a=1&a=2&t=1", "/?%E9=%E9&t=1", "/?\xe9\xff=\x01 #&t=1", "/?%zz&t=1",
		"/?t2=%&t=1&tt=%", "/?=%&%&t=1", "/?%t=%&t=1", "/?t%00=2&t=1", "/?%74=1", "/?T=%&t=1"
	};
	struct http_req			q;
	const char			*t;

	for (size_t i = 0; i < LENGTH(uris); i++) {
		assert_int_equal(read_request(state, &q, "GET", uris[i]), OK);
		if (http_query(&q, "t", &t) != OK || t == NULL || strcmp(t, "1") != 0)
			fail_msg("not read: %s", uris[i]);
	}
}

static void
test_f12_ten_thousand_keys(void **state)
{
	struct buf	b = { .ctx = *state };
	struct http_req	q;

	const char	*t;

	buf_puts(&b, "/?0");
	for (int i = 1; i < 10000; i++)
		buf_printf(&b, "&%x", i);
	buf_puts(&b, "&t=last");
	assert_int_equal(read_request(state, &q, "GET", b.data), OK);
	assert_int_equal(http_query(&q, "t", &t), OK);
	assert_string_equal(t, "last");
}

static void
test_f12_a_query_is_a_form(void **state)
{
	static const struct { const char *name, *value; }	rows[] = {
		{ "session_id", "cs_1" }, { "x", "" }, { "y", "a b" }, { "z", NULL }, { "", NULL }, { "session", NULL }
	};
	struct http_req	q;
	const char	*value;

	assert_int_equal(read_request(state, &q, "GET", "/welcome?session_id=cs_1&x&y=a+b"), OK);
	for (size_t i = 0; i < LENGTH(rows); i++) {
		assert_int_equal(http_query(&q, rows[i].name, &value), OK);
		assert_string_equal(value != NULL ? value : "none", rows[i].value != NULL ? rows[i].value : "none");
	}
	assert_int_equal(read_request(state, &q, "GET", "/"), OK);
	assert_string_equal(q.query, "");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_f01_methods), TEST(test_f01_a_method_that_the_server_has_refused),
		TEST(test_f02_a_parameter_that_the_server_must_set),
		TEST(test_f03_a_parameter_that_decides_given_twice), TEST(test_f06_the_address_is_the_web_servers_word),
		TEST(test_f02_peers_without_an_address_count_as_one), TEST(test_f11_a_path_is_decoded_once),
		TEST(test_f16_a_target_in_absolute_form), TEST(test_f11_paths_that_cannot_be_read),
		TEST(test_f11_paths_that_no_route_has), TEST(test_f11_nine_kilobytes),
		TEST(test_f12_a_parameter_that_cannot_be_read), TEST(test_f12_parameters_of_others_never_matter),
		TEST(test_f12_ten_thousand_keys), TEST(test_f12_a_query_is_a_form),
	};

	mem_init();
	return cmocka_run_group_tests_name("request", tests, NULL, NULL);
}
