/* fcgi: a FastCGI client's side of the protocol, for unit tests. Include after cmocka.h. */
#ifndef TOLLGATE_TESTS_FCGI_H
#define TOLLGATE_TESTS_FCGI_H

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

enum { BEGIN = 1, ABORT, END, PARAMS, STDIN, STDOUT, STDERR, DATA, GET_VALUES };

static inline void
put_record(struct buf *b, int type, unsigned id, const void *content, size_t n)
{
	const uint8_t	header[8] = { 1, (uint8_t)type, (uint8_t)(id >> 8), (uint8_t)id, (uint8_t)(n >> 8), (uint8_t)n };

	buf_put(b, header, sizeof(header));
	buf_put(b, content, n);
}

static inline void
put_begin(struct buf *b, unsigned id, int role, int flags)
{
	put_record(b, BEGIN, id, (const uint8_t[8]){ 0, (uint8_t)role, (uint8_t)flags }, 8);
}

static inline void
put_pair(struct buf *b, const char *name, size_t name_len, const char *value, size_t value_len)
{
	const size_t	lengths[] = { name_len, value_len };

	for (int i = 0; i < 2; i++) {
		size_t		n = lengths[i];
		const uint8_t	four[] = { (uint8_t)(0x80 | n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n };

		buf_put(b, n < 128 ? four + 3 : four, n < 128 ? 1 : 4);
	}
	buf_put(b, name, name_len);
	buf_put(b, value, value_len);
}

/* The content of a stream in records of 60000 bytes, and the empty one at its end. */
static inline void
put_stream(struct buf *b, int type, unsigned id, const char *content, size_t n)
{
	for (size_t part; n > 0; content += part, n -= part) {
		part = n < 60000 ? n : 60000;
		put_record(b, type, id, content, part);
	}
	put_record(b, type, id, NULL, 0);
}

static inline void
put_pairs(struct buf *pairs, const char *method, const char *uri, size_t body_len)
{
	char	length[32];

	snprintf(length, sizeof(length), "%zu", body_len);
	put_pair(pairs, "REQUEST_METHOD", 14, method, strlen(method));
	put_pair(pairs, "REQUEST_URI", 11, uri, strlen(uri));
	put_pair(pairs, "SERVER_PROTOCOL", 15, "HTTP/1.1", 8);
	put_pair(pairs, "REMOTE_ADDR", 11, "192.0.2.1", 9);
	put_pair(pairs, "CONTENT_LENGTH", 14, length, strlen(length));
}

/* A whole request with the parameters a web server sets and a few more pairs, already encoded. */
static inline void
put_request(struct buf *b, unsigned id, const char *method, const char *uri, const char *body, const struct buf *more)
{
	struct buf	pairs = { .ctx = b->ctx };

	put_pairs(&pairs, method, uri, strlen(body));
	if (more != NULL)
		buf_put(&pairs, more->data, more->len);
	put_begin(b, id, 1, 0);
	put_stream(b, PARAMS, id, pairs.data, pairs.len);
	put_stream(b, STDIN, id, body, strlen(body));
}

/* What a peer wrote until it closed: STDOUT of request id, and the protocol status its END_REQUEST had, or -1. */
struct reply {
	struct buf	out;
	int		ended;
};

static inline struct reply
read_reply(mem_ctx *mem, const struct buf *bytes, unsigned id)
{
	struct reply	r = { .out.ctx = mem, .ended = -1 };
	const uint8_t	*p = (const uint8_t *)bytes->data;
	size_t		left = bytes->len, n, step;
	bool		over = false;	/* an empty record is the end of STDOUT */

	buf_put(&r.out, "", 0);
	for (; left >= 8; p += step, left -= step) {
		n = (size_t)(p[4] << 8 | p[5]);
		step = 8 + n + p[6];
		assert_true(left >= step);
		if ((unsigned)(p[2] << 8 | p[3]) != id)
			continue;
		if (p[1] == STDOUT) {
			assert_false(over);
			buf_put(&r.out, p + 8, n);
			over = n == 0;
		}
		if (p[1] == END)
			r.ended = p[12];
	}
	return r;
}

#endif
