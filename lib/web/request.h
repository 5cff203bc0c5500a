/* request: what the parameters say, checked; the part of a request that is decided before any handler sees it. */
#ifndef TOLLGATE_REQUEST_H
#define TOLLGATE_REQUEST_H

#include "http.h"

enum { REQUEST_MAX_URI = 8192 };

/*
 * Fills method, path, query and remote_addr from q->params; what cannot be read stays as it was. Not OK says why the
 * request is refused: ERR_BAD_REQUEST, ERR_METHOD, or ERR_NOT_FOUND for a path that no route can have.
 */
enum err request_read(struct http_req *q) MUST_CHECK;

#endif
