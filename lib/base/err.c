#include "err.h"

static const struct err_info infos[ERR_COUNT] = {
	[OK]			= { 200, "ok", "OK", false },
	[ERR_BAD_REQUEST]	= { 400, "bad_request", "Bad request", false },
	[ERR_AUTH]		= { 401, "auth", "Authentication required", false },
	[ERR_FORBIDDEN]		= { 403, "forbidden", "Forbidden", false },
	[ERR_CONFIRM]		= { 403, "confirm", "Confirm that it is you", false },
	[ERR_FACTOR]		= { 403, "factor", "A second factor is required", false },
	[ERR_NOT_FOUND]		= { 404, "not_found", "Not found", false },
	[ERR_METHOD]		= { 405, "method", "Method not allowed", false },
	[ERR_CONFLICT]		= { 409, "conflict", "Conflict", false },
	[ERR_TOO_LARGE]		= { 413, "too_large", "Request too large", false },
	[ERR_MEDIA]		= { 415, "media", "Unsupported media type", false },
	[ERR_MISDIRECTED]	= { 421, "misdirected", "Misdirected request", false },
	[ERR_INVALID]		= { 422, "invalid", "Invalid input", false },
	[ERR_LIMIT]		= { 429, "limit", "Too many requests", true },
	[ERR_HEADERS]		= { 431, "headers", "Request header fields too large", false },
	[ERR_INTERNAL]		= { 500, "internal", "Internal error", false },
	[ERR_UNKNOWN_METHOD]	= { 501, "unknown_method", "Unknown method", false },
	[ERR_UPSTREAM]		= { 502, "upstream", "Bad answer from an upstream service", true },
	[ERR_UNAVAILABLE]	= { 503, "unavailable", "Service unavailable", true },
	[ERR_KEY_REFUSED]	= { 503, "key_refused", "Service unavailable", true },
	[ERR_UNCERTAIN]		= { 503, "uncertain", "Service unavailable", true },
	[ERR_CLOSED]		= { 499, "closed", "Client closed the request", false },
};

const struct err_info *
err_info(enum err e)
{
	return &infos[e];
}
