#include "log.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 8192, LINE_RESERVE = 4 };

static const struct {
	const char	*name;
	const char	*priority;	/* as systemd's journal reads it before a line: syslog's number */
} levels[] = { { "debug", "<7>" }, { "info", "<6>" }, { "warn", "<4>" }, { "error", "<3>" } };

/* Set once in main() before any thread starts; constants from then on. */
static char program_name[32] = "tollgate";
static enum log_level least_level = LOG_INFO;
static bool is_journal;

static _Thread_local char request_id[40];

/* Whole lines, at most PIPE_BUF bytes, which a pipe takes atomically: the lines of several writers do not mix. */
static _Thread_local struct {
	char	text[PIPE_BUF];
	size_t	len;
	bool	holds;
} held;

struct line {
	char	text[LINE_MAX_BYTES];
	size_t	len;
};

/* How many lines could not be written, as on a full disk, since that was last told. */
static atomic_ulong lost;

/* $JOURNAL_STREAM names the device and inode of the journal's end. Standard error may lead elsewhere. */
static bool
leads_to_journal(int fd)
{
	const char	*stream = getenv("JOURNAL_STREAM");
	char		own[64];
	struct stat	st;

	if (stream == NULL || fstat(fd, &st) != 0)
		return false;
	snprintf(own, sizeof(own), "%lu:%lu", (unsigned long)st.st_dev, (unsigned long)st.st_ino);
	return strcmp(stream, own) == 0;
}

void
log_open(const char *program, enum log_level least)
{
	is_journal = leads_to_journal(STDERR_FILENO);
	snprintf(program_name, sizeof(program_name), "%s", program);
	least_level = least;
}

void
log_request(const char *id)
{
	snprintf(request_id, sizeof(request_id), "%s", id == NULL ? "" : id);
}

/* Drops s if it does not fit: a value may be cut, but the line stays valid JSON. */
static void
line_put(struct line *l, const char *s, size_t n)
{
	if (l->len + n > sizeof(l->text) - LINE_RESERVE)
		return;
	memcpy(l->text + l->len, s, n);
	l->len += n;
}

static bool
is_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

static void
line_escape(struct line *l, unsigned char c)
{
	char	escape[8];

	if (c == '"' || c == '\\')
		line_put(l, (const char[]){ '\\', (char)c }, 2);
	else
		line_put(l, escape, (size_t)snprintf(escape, sizeof(escape), "\\u%04x", c));
}

/* Puts s quoted, in runs of characters that need no escape, and cuts what does not fit. */
static void
line_string(struct line *l, const char *s)
{
	const size_t	end = sizeof(l->text) - 16;
	size_t		n;

	line_put(l, "\"", 1);
	for (; *s != '\0' && l->len < end; s += n) {
		for (n = 0; is_plain((unsigned char)s[n]) && l->len + n < end; n++)
			;
		line_put(l, s, n);
		if (n > 0 || *s == '\0')
			continue;
		line_escape(l, (unsigned char)*s);
		n = 1;
	}
	l->text[l->len++] = '"';
}

static void
line_field(struct line *l, const char *name, const char *text, int64_t number)
{
	char	digits[24];

	if (l->len > sizeof(l->text) - 128)
		return;
	if (l->text[l->len - 1] != '{')
		line_put(l, ",", 1);
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

static void
line_begin(struct line *l, enum log_level level, const char *event)
{
	l->len = 0;
	if (is_journal)
		line_put(l, levels[level].priority, 3);
	line_put(l, "{", 1);
	line_time(l);
	line_field(l, "level", levels[level].name, 0);
	line_field(l, "program", program_name, 0);
	line_field(l, "event", event, 0);
}

static void
line_end(struct line *l)
{
	memcpy(l->text + l->len, "}\n", 2);
	l->len += 2;
}

static void
lost_tell(unsigned long n)
{
	struct line	l;

	line_begin(&l, LOG_ERROR, "log_lost");
	line_field(&l, "lines", NULL, (int64_t)n);
	line_end(&l);
	if (write(STDERR_FILENO, l.text, l.len) != (ssize_t)l.len)
		atomic_fetch_add(&lost, n);
}

/* Lines that cannot be written do not stop the program; once lines can be written again, it tells how many are lost. */
static void
text_write(const char *text, size_t n)
{
	unsigned long	missed;

	if (write(STDERR_FILENO, text, n) == (ssize_t)n) {
		missed = atomic_exchange(&lost, 0);
		if (missed > 0)
			lost_tell(missed);
		return;
	}
	for (const char *end = text + n; (text = memchr(text, '\n', (size_t)(end - text))) != NULL; text++)
		atomic_fetch_add(&lost, 1);
}

static void
held_write(void)
{
	if (held.len > 0)
		text_write(held.text, held.len);
	held.len = 0;
}

void
log_fields(enum log_level level, const char *event, const struct log_field *fields, unsigned n)
{
	struct line	l;

	if (level < least_level)
		return;
	line_begin(&l, level, event);
	if (request_id[0] != '\0')
		line_field(&l, "request", request_id, 0);
	for (unsigned i = 0; i < n; i++)
		line_field(&l, fields[i].name, fields[i].text, fields[i].number);
	line_end(&l);
	if (held.len + l.len > sizeof(held.text))
		held_write();
	if (!held.holds || l.len > sizeof(held.text)) {
		text_write(l.text, l.len);
		return;
	}
	memcpy(held.text + held.len, l.text, l.len);
	held.len += l.len;
}

void
log_hold(bool holds)
{
	held.holds = holds;
	if (!holds)
		held_write();
}
