/* accept: HTML or JSON, and in which language. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "ask.h"

static void
wants_json(void **state, bool wanted, const char *const *headers, size_t n)
{
	struct http_req	q;

	for (size_t i = 0; i < n; i++) {
		ask(&q, *state, "HTTP_ACCEPT", headers[i], NULL);
		if (http_wants_json(&q) != wanted)
			fail_msg("%s for \"%s\"", wanted ? "HTML" : "JSON", headers[i]);
	}
}

static void
test_errors_are_json_for_clients_that_prefer_it(void **state)
{
	static const char *const	headers[] = {
		"application/json", "Application/JSON", "application/json, text/plain, */*", "*/*, application/json",
		"application/*", "text/html;q=0.5, application/json", "text/html;q=0.5,application/json;q=0.51",
		"text/html;q=0, */*", "application/json;charset=utf-8", "application/json ; q=0.1", "text/*;q=0.3, */*;q=0.5"
	};

	wants_json(state, true, headers, LENGTH(headers));
}

static void
test_errors_are_html_for_all_others(void **state)
{
	static const char *const	headers[] = {
		"", "*/*", "text/html", "text/*", "text/html, application/json", "application/json;q=0.9, text/html", ",;,q=,",
		"text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8", "application/json;q=0",
		"image/png", "application/json;q=0.0, */*;q=0.1", "application/json;q=2", "application/json;q=1.1",
		"application/json;q=x", "application/jsonx", "application/jso", "application/json;q=1.0000"
	};
	struct http_req			q;

	wants_json(state, false, headers, LENGTH(headers));
	ask(&q, *state, "HTTP_HOST", "a", NULL);
	assert_false(http_wants_json(&q));
}

static void
test_the_language_is_the_one_preferred(void **state)
{
	static const struct { const char *header, *language; }	rows[] = {
		{ "", "en" }, { "de", "de" }, { "DE-at", "de" }, { "de-AT,de;q=0.9,en;q=0.8", "de" },
		{ "en-US,en;q=0.9,de;q=0.8", "en" }, { "fr", "en" }, { "fr,de;q=0.1", "de" }, { "en;q=0.5, de", "de" },
		{ "de, en", "de" }, { "*", "en" }, { "*;q=0.5, de", "de" }, { "de;q=0", "en" }, { "den", "en" }, { "d", "en" },
		{ ";;,,=", "en" }, { "en;q=0,de;q=0.1", "de" },
		{ "en;q=0", "de" }, { "en;q=0, fr", "de" }, { "en;q=0, *", "de" }, { "*, en;q=0", "de" },
		{ "en;q=0, de;q=0", "en" }, { "en;q=0, en-GB", "en" }, { "de;q=0.5, *", "en" }, { "*;q=0", "en" },
	};
	static const char *const	languages[] = { "en", "de" };
	struct http_req			q;

	for (size_t i = 0; i < LENGTH(rows); i++) {
		ask(&q, *state, "HTTP_ACCEPT_LANGUAGE", rows[i].header, NULL);
		if (strcmp(http_language(&q, languages, 2), rows[i].language) != 0)
			fail_msg("not %s for \"%s\"", rows[i].language, rows[i].header);
	}
	ask(&q, *state, "HTTP_HOST", "a", NULL);
	assert_string_equal(http_language(&q, languages, 2), "en");
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		TEST(test_errors_are_json_for_clients_that_prefer_it), TEST(test_errors_are_html_for_all_others),
		TEST(test_the_language_is_the_one_preferred),
	};

	mem_init();
	return cmocka_run_group_tests_name("accept", tests, NULL, NULL);
}
