/* log: one well-formed JSON object a line, whatever the values hold. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "json.h"
#include "log.h"

struct capture {
	int	read_end, saved;
};

/* From now on standard error leads into a pipe. */
static struct capture
capture_begin(void)
{
	int		ends[2];
	struct capture	c = { .saved = dup(STDERR_FILENO) };

	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	close(ends[1]);
	c.read_end = ends[0];
	return c;
}

/* What was written since then. */
static ssize_t
capture_end(struct capture c, char *out, size_t room)
{
	ssize_t	n;

	dup2(c.saved, STDERR_FILENO);
	close(c.saved);
	n = read(c.read_end, out, room - 1);
	close(c.read_end);
	out[n > 0 ? n : 0] = '\0';
	return n;
}

/* What log_line() writes on standard error. */
static ssize_t
captured(char *out, size_t room, const char *value)
{
	struct capture	c = capture_begin();

	log_line(LOG_WARN, "tried", LOG_TEXT("value", value), LOG_INT("number", -7));
	return capture_end(c, out, room);
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
	memset(value, 'a', sizeof(value) - 1);
	n = captured(line, sizeof(line), value);
	assert_in_range(n, 8000, 8192);
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

/* The numbers of the lines that a pipe has taken so far, as "1 2 3 ". */
static void
read_numbers(int fd, char *out, size_t room)
{
	static char	said[65536];
	ssize_t		n = read(fd, said, sizeof(said) - 1);

	out[0] = said[n > 0 ? n : 0] = '\0';
	for (char *at = said; (at = strstr(at, "\"number\":")) != NULL; at++)
		snprintf(out + strlen(out), room - strlen(out), "%d ", atoi(at + 9));
}

static void
test_a_single_held_line_is_written_once_it_is_held_no_longer(void **state)
{
	int	ends[2], saved = dup(STDERR_FILENO);
	char	held[64], then[64];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	log_hold(true);
	log_line(LOG_WARN, "held", LOG_INT("number", 1));
	read_numbers(ends[0], held, sizeof(held));
	log_hold(false);
	read_numbers(ends[0], then, sizeof(then));
	dup2(saved, STDERR_FILENO);
	assert_string_equal(held, "");
	assert_string_equal(then, "1 ");
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

/* A line of 5,000 bytes is too long to be held, and 50 short ones are. They come in order, whatever is held. */
static void
test_held_lines_are_written_in_order_and_none_is_lost(void **state)
{
	static char	bytes[5000];
	int		ends[2], saved = dup(STDERR_FILENO);
	const char	*value;
	char		all[400] = "", held[400], then[400];

	(void)state;
	memset(bytes, 'x', sizeof(bytes) - 1);
	assert_int_equal(pipe(ends), 0);
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	dup2(ends[1], STDERR_FILENO);
	log_hold(true);
	log_line(LOG_WARN, "held", LOG_INT("number", 1));
	read_numbers(ends[0], held, sizeof(held));
	for (int i = 2; i <= 60; i++) {
		value = i == 30 ? bytes : "";
		log_line(LOG_WARN, "held", LOG_INT("number", i), LOG_TEXT("value", value));
	}
	log_hold(false);
	log_line(LOG_WARN, "told", LOG_INT("number", 61));
	read_numbers(ends[0], then, sizeof(then));
	dup2(saved, STDERR_FILENO);
	for (int i = 1; i <= 61; i++)
		snprintf(all + strlen(all), sizeof(all) - strlen(all), "%d ", i);
	assert_string_equal(held, "");
	assert_string_equal(then, all);
	close(saved);
	close(ends[0]);
	close(ends[1]);
}

/* /dev/full refuses each write as a full disk does. */
static void
test_f117_lines_that_a_full_disk_refuses_are_counted(void **state)
{
	int	saved = dup(STDERR_FILENO), full = open("/dev/full", O_WRONLY | O_CLOEXEC), ends[2];
	char	text[4096] = "";

	(void)state;
	assert_int_equal(pipe(ends), 0);
	dup2(full, STDERR_FILENO);
	log_line(LOG_WARN, "refused", LOG_INT("number", 1));
	log_hold(true);
	log_line(LOG_WARN, "refused", LOG_INT("number", 2));
	log_line(LOG_WARN, "refused", LOG_INT("number", 3));
	log_hold(false);
	dup2(ends[1], STDERR_FILENO);
	log_line(LOG_WARN, "written", LOG_INT("number", 4));
	log_line(LOG_WARN, "written", LOG_INT("number", 5));
	dup2(saved, STDERR_FILENO);
	assert_true(read(ends[0], text, sizeof(text) - 1) > 0);
	assert_null(strstr(text, "refused"));
	assert_non_null(strstr(text, "\"number\":4"));
	assert_non_null(strstr(text, "\"event\":\"log_lost\""));
	assert_non_null(strstr(text, "\"lines\":3}"));
	assert_null(strstr(strstr(text, "log_lost") + 1, "log_lost"));
	close(saved);
	close(full);
	close(ends[0]);
	close(ends[1]);
}

static const char *
begun(const char *stream, enum log_level level, char *out, size_t room)
{
	struct capture	c = capture_begin();
	struct stat	st;
	char		own[64];

	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(own, sizeof(own), "%lu:%lu", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	setenv("JOURNAL_STREAM", stream ? stream : own, 1);
	log_open("test", LOG_INFO);
	log_line(level, "tried", LOG_INT("number", 1));
	capture_end(c, out, room);
	unsetenv("JOURNAL_STREAM");
	log_open("test", LOG_INFO);
	return out;
}

static void
test_a_line_in_the_journal_begins_with_its_priority(void **state)
{
	static const struct {
		enum log_level	level;
		const char	*begin;
	} rows[] = { { LOG_INFO, "<6>{\"time\":" }, { LOG_WARN, "<4>{\"time\":" }, { LOG_ERROR, "<3>{\"time\":" } };
	char		line[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_int_equal(strncmp(begun(NULL, rows[i].level, line, sizeof(line)), rows[i].begin, 11), 0);
	assert_int_equal(strncmp(begun("1:2", LOG_ERROR, line, sizeof(line)), "{\"time\":", 8), 0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f122_a_line_is_json_whatever_it_holds),
		cmocka_unit_test(test_f122_a_line_is_capped_at_8_kib),
		cmocka_unit_test(test_lines_below_the_level_are_left_out),
		cmocka_unit_test(test_a_single_held_line_is_written_once_it_is_held_no_longer),
		cmocka_unit_test(test_held_lines_are_written_in_order_and_none_is_lost),
		cmocka_unit_test(test_a_line_in_the_journal_begins_with_its_priority),
		cmocka_unit_test(test_f117_lines_that_a_full_disk_refuses_are_counted),
	};

	mem_init();
	log_open("test", LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
