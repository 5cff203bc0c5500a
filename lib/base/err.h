/* err: the reason of a failure as one enum, with a table of what each reason means to a client. */
#ifndef TOLLGATE_ERR_H
#define TOLLGATE_ERR_H

#include <stdbool.h>

/*
 * Every fallible function returns one of these. The layer that knows the cause logs it once; above it only the enum
 * travels. err_info() says what each means to a client.
 */
enum err {
	OK = 0,
	ERR_BAD_REQUEST,	/* 400: malformed */
	ERR_AUTH,		/* 401: not signed in */
	ERR_FORBIDDEN,		/* 403: not permitted to this caller */
	ERR_CONFIRM,		/* 403: signed in too long ago for this, so it must be proved again */
	ERR_FACTOR,		/* 403: this needs a second factor, and the user has none */
	ERR_NOT_FOUND,		/* 404 */
	ERR_METHOD,		/* 405 */
	ERR_CONFLICT,		/* 409 */
	ERR_TOO_LARGE,		/* 413 */
	ERR_MEDIA,		/* 415 */
	ERR_MISDIRECTED,	/* 421: the Host is not this site */
	ERR_INVALID,		/* 422: well-formed, but a field is wrong */
	ERR_LIMIT,		/* 429 */
	ERR_HEADERS,		/* 431 */
	ERR_INTERNAL,		/* 500: a fault in this program */
	ERR_UNKNOWN_METHOD,	/* 501: no target has it */
	ERR_UPSTREAM,		/* 502: an upstream service's answer breaks its contract */
	ERR_UNAVAILABLE,	/* 503: try again; nothing was done, or a repetition is safe */
	ERR_KEY_REFUSED,	/* 503: upstream rejects our API key, or its rights do not suffice; the operator must act */
	ERR_UNCERTAIN,		/* 503: the reply was lost, so the effect is unknown; repeat with the same key */
	ERR_CLOSED,		/* the client closed the connection; no response can be sent */
	ERR_COUNT
};

struct err_info {
	int		status;		/* HTTP */
	const char	*name;		/* for logs and message catalogues: "not_found" */
	const char	*sentence;	/* English, for JSON bodies */
	bool		retryable;	/* the response has a Retry-After */
};

const struct err_info *err_info(enum err e);

#define MUST_CHECK __attribute__((warn_unused_result))

/* Leaves the function with the error. Safe anywhere: all memory of a request hangs on its context. */
#define TRY(call) do { enum err try_err_ = (call); if (try_err_ != OK) return try_err_; } while (0)

#endif
