#include "log.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, LINE_RESERVE = 4 };

static const char *const level_names[] = { "debug", "info", "warn", "error" };

/* Set once in main() before any thread starts; constants from then on. */
static char program_name[32] = "tollgate";
static enum log_level least_level = LOG_INFO;

static _Thread_local char request_id[40];

struct line {
	char	text[LINE_MAX_BYTES];
	size_t	len;
};

void
log_open(const char *program, enum log_level least)
{
	snprintf(program_name, sizeof(program_name), "%s", program);
	least_level = least;
}

void
log_request(const char *id)
{
	snprintf(request_id, sizeof(request_id), "%s", id == NULL ? "" : id);
}

/* What does not fit is left out: a cut value, never a broken line. */
static void
line_put(struct line *l, const char *s, size_t n)
{
	if (l->len + n > sizeof(l->text) - LINE_RESERVE)
		return;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static void
line_string(struct line *l, const char *s)
{
	char	escape[8];

	line_put(l, "\"", 1);
	for (; *s != '\0' && l->len < sizeof(l->text) - 16; s++) {
		unsigned char	c = (unsigned char)*s;

		if (c == '"' || c == '\\')
			line_put(l, (const char[]){ '\\', (char)c }, 2);
		else if (c < 0x20 || c >= 0x7f)
			line_put(l, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c));
		else
			line_put(l, s, 1);
	}
	l->text[l->len++] = '"';
}

static void
line_field(struct line *l, const char *name, const char *text, int64_t number)
{
	char	digits[24];

	if (l->len > sizeof(l->text) - 128)
		return;
	line_put(l, l->len > 1 ? "," : "", l->len > 1);
	line_string(l, name);
	line_put(l, ":", 1);
	if (text != NULL)
		line_string(l, text);
	else
		line_put(l, digits, (size_t)snprintf(digits, sizeof(digits), "%lld", (long long)number));
}

static void
line_time(struct line *l)
{
	struct timespec	now;
	struct tm	tm;
	char		text[40], whole[24];

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	strftime(whole, sizeof(whole), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(text, sizeof(text), "%s.%03ldZ", whole, now.tv_nsec / 1000000);
	line_field(l, "time", text, 0);
}

void
log_fields(enum log_level level, const char *event, const struct log_field *fields, unsigned n)
{
	struct line	l = { .text = "{", .len = 1 };

	if (level < least_level)
		return;
	line_time(&l);
	line_field(&l, "level", level_names[level], 0);
	line_field(&l, "program", program_name, 0);
	line_field(&l, "event", event, 0);
	if (request_id[0] != '\0')
		line_field(&l, "request", request_id, 0);
	for (unsigned i = 0; i < n; i++)
		line_field(&l, fields[i].name, fields[i].text, fields[i].number);
	memcpy(l.text + l.len, "}\n", 2);
	/* One write a line, so that threads and processes on one pipe do not mix; a full disk costs the line, not us. */
	if (write(STDERR_FILENO, l.text, l.len + 2) < 0)
		return;
}
