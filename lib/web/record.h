/*
 * record: reads one whole FastCGI request from a connection, or refuses it, within a deadline. Anything but a plain
 * request to a responder (a management record, an abort, an impossible length) is refused, so that libfcgi, which
 * trusts its peer, only ever gets a short, whole and checked copy.
 */
#ifndef TOLLGATE_RECORD_H
#define TOLLGATE_RECORD_H

#include <stdbool.h>
#include <stdint.h>

#include "err.h"
#include "mem.h"

enum {
	RECORD_HEADER		= 8,
	RECORD_MAX_BODY		= 1 << 20,
	RECORD_HEAD_MS		= 2000,		/* until the last of PARAMS */
	RECORD_WHOLE_MS		= 10000		/* until the last of STDIN */
};

enum record_state { RECORD_MORE, RECORD_WHOLE, RECORD_REFUSED };

enum record_phase { RECORD_BEGIN, RECORD_PARAMS, RECORD_STDIN, RECORD_END };

struct record {
	enum record_state	state;
	enum record_phase	phase;		/* RECORD_END: nothing of the request is left unread */
	const char		*why;		/* refused: one word for the log; NULL when the peer sent nothing */
	unsigned		id;
	struct buf		params;		/* the name-value pairs, as sent */
	struct buf		body;
	bool			params_over;	/* more than HTTP_MAX_HEADER_BYTES; not all were read */
	bool			body_over;	/* more than RECORD_MAX_BODY; not all was read */
	struct buf		reply;		/* END_REQUEST for other requests on the connection, to be sent */
	int64_t			began;		/* both deadlines count from here */

	uint8_t			header[RECORD_HEADER];
	size_t			have;		/* bytes in header */
	struct buf		begin;
	struct buf		*sink;		/* where the content goes; NULL: it is skipped */
	size_t			content;	/* bytes of the current record still to come */
	size_t			padding;
};

void record_init(struct record *r, mem_ctx *mem);

/* Takes n more bytes. Once the state is not RECORD_MORE, what follows is ignored. */
enum record_state record_feed(struct record *r, const void *bytes, size_t n);

/*
 * Reads what has arrived at fd, without waiting, but not more at once than the largest request has: others wait too.
 * RECORD_REFUSED: late, cut short or not acceptable, as why says.
 */
enum record_state record_read(struct record *r, int fd);

/* When the head, or after it the whole request, must have arrived, in clock_ms()'s milliseconds. */
int64_t record_deadline(const struct record *r);

/*
 * Whether the parameters are valid. ERR_CLOSED when a length does not fit, ERR_HEADERS when there are too many,
 * ERR_BAD_REQUEST for a name outside [A-Za-z0-9_], a NUL, or a control byte in input of the client.
 */
enum err record_check(const struct record *r) MUST_CHECK;

/* Appends the head in its plainest form: BEGIN, PARAMS (empty unless with_params), an empty STDIN. */
void record_head(const struct record *r, bool with_params, struct buf *out);

#endif
