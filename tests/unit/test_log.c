/* log: one well-formed JSON object a line, whatever the values hold. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include "json.h"
#include "log.h"

/* What log_line() wrote on stderr while value was logged. */
static ssize_t
captured(char *out, size_t room, const char *value)
{
	int	ends[2], saved = dup(STDERR_FILENO);
	ssize_t	n;

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	log_line(LOG_WARN, "tried", LOG_TEXT("value", value), LOG_INT("number", -7));
	dup2(saved, STDERR_FILENO);
	close(saved);
	close(ends[1]);
	n = read(ends[0], out, room - 1);
	close(ends[0]);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

static void
test_f122_a_line_is_json_whatever_it_holds(void **state)
{
	char			line[16384];
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	ssize_t			n;

	(void)state;
	log_request("abc");
	n = captured(line, sizeof(line), "a\"b\\c\r\n\x01\x7f %n %s \xff\xc3\xa9");
	assert_int_equal(line[n - 1], '\n');
	assert_ptr_equal(strchr(line, '\n'), line + n - 1);
	assert_int_equal(json_parse(mem, line, (size_t)n, &doc), OK);
	assert_string_equal(json_text(doc, "/event"), "tried");
	assert_string_equal(json_text(doc, "/level"), "warn");
	assert_string_equal(json_text(doc, "/request"), "abc");
	assert_int_equal(json_int(doc, "/number", 0), -7);
	assert_int_equal(strncmp(json_text(doc, "/value"), "a\"b\\c\r\n", 7), 0);
	talloc_free(mem);
}

static void
test_f122_a_line_is_capped_at_8_kib(void **state)
{
	static char		value[1 << 20];
	char			line[16384];
	mem_ctx			*mem = mem_new();
	struct json_object	*doc;
	ssize_t			n;

	(void)state;
	memset(value, '"', sizeof(value) - 1);
	n = captured(line, sizeof(line), value);
	assert_in_range(n, 4000, 8192);
	assert_int_equal(json_parse(mem, line, (size_t)n, &doc), OK);
	talloc_free(mem);
}

static void
test_lines_below_the_level_are_left_out(void **state)
{
	int	ends[2], saved = dup(STDERR_FILENO);
	char	line[64];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	log_line(LOG_DEBUG, "quiet", LOG_INT("n", 1));
	dup2(saved, STDERR_FILENO);
	assert_true(read(ends[0], line, sizeof(line)) < 0);
	close(saved);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f122_a_line_is_json_whatever_it_holds),
		cmocka_unit_test(test_f122_a_line_is_capped_at_8_kib),
		cmocka_unit_test(test_lines_below_the_level_are_left_out),
	};

	mem_init();
	log_open("test", LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
