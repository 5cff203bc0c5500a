/*
 * log: one JSON object a line on stderr. Values are escaped and a line is capped at 8 KiB; formats are constants.
 * Never pass a secret, a token, a body or a URL with a query.
 */
#ifndef TOLLGATE_LOG_H
#define TOLLGATE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

/*
 * Sets the program's name in every line; drops lines below least. Where standard error is systemd's journal, each line
 * begins with its priority ("<3>"). Call once in main().
 */
void log_open(const char *program, enum log_level least);

/* The request id this thread's lines carry from now on; NULL for none. Copied. */
void log_request(const char *id);

/* true: this thread's lines are buffered and written in batches. false: writes the buffer and stops buffering. */
void log_hold(bool holds);

struct log_field {
	const char	*name;
	const char	*text;		/* NULL: the value is number */
	int64_t		number;
};

#define LOG_TEXT(n, v) ((struct log_field){ (n), (v) ? (v) : "", 0 })
#define LOG_INT(n, v) ((struct log_field){ (n), NULL, (v) })

/* log_line(LOG_WARN, "db_lost", LOG_TEXT("sqlstate", s), LOG_INT("attempt", 2)); at least one field. */
#define log_line(level, event, ...) \
	log_fields((level), (event), (const struct log_field[]){ __VA_ARGS__ }, \
	    sizeof((const struct log_field[]){ __VA_ARGS__ }) / sizeof(struct log_field))

void log_fields(enum log_level level, const char *event, const struct log_field *fields, unsigned n);

#endif
