/* err: why something did not succeed, as one small enum with a table behind it. */
#ifndef TOLLGATE_ERR_H
#define TOLLGATE_ERR_H

#include <stdbool.h>

/*
 * Every fallible function returns one of these. The layer that knows the cause logs it once; above it only the enum
 * travels. err_info() says what each means to a client.
 */
enum err {
	OK = 0,
	ERR_BAD_REQUEST,	/* 400: cannot be read as what it claims to be */
	ERR_AUTH,		/* 401: nobody is signed in */
	ERR_FORBIDDEN,		/* 403: somebody is, and may not */
	ERR_NOT_FOUND,		/* 404 */
	ERR_METHOD,		/* 405 */
	ERR_CONFLICT,		/* 409 */
	ERR_TOO_LARGE,		/* 413 */
	ERR_MEDIA,		/* 415 */
	ERR_MISDIRECTED,	/* 421: a host that is not ours */
	ERR_INVALID,		/* 422: readable, but a field is wrong */
	ERR_LIMIT,		/* 429 */
	ERR_HEADERS,		/* 431 */
	ERR_INTERNAL,		/* 500: our own mistake */
	ERR_UPSTREAM,		/* 502: the other side answered, and not with what it promised */
	ERR_UNAVAILABLE,	/* 503: try again; nothing was done, or doing it again is safe */
	ERR_KEY_REFUSED,	/* 503: the other side does not take our key, or not for this; only the operator can help */
	ERR_UNCERTAIN,		/* 503: the reply was lost; it may have been done. Repeat with the same key */
	ERR_CLOSED,		/* the client went away; nobody to tell */
	ERR_COUNT
};

struct err_info {
	int		status;		/* HTTP */
	const char	*name;		/* for logs and message catalogues: "not_found" */
	const char	*sentence;	/* English, for JSON bodies */
	bool		retryable;	/* worth a Retry-After */
};

const struct err_info *err_info(enum err e);

#define MUST_CHECK __attribute__((warn_unused_result))

/* Leaves the function with the error. Safe anywhere: all memory of a request hangs on its context. */
#define TRY(call) do { enum err try_err_ = (call); if (try_err_ != OK) return try_err_; } while (0)

#endif
