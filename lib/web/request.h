/* request: reads method, path, query and address from the parameters and checks them, before any handler runs. */
#ifndef TOLLGATE_REQUEST_H
#define TOLLGATE_REQUEST_H

#include "http.h"

enum { REQUEST_MAX_PATH = 8192 };

/*
 * Fills method, authority, path, query and remote_addr from q->params; a field that cannot be read stays unchanged. An
 * error says why the request is refused: ERR_BAD_REQUEST, ERR_UNKNOWN_METHOD, or ERR_NOT_FOUND for a path that no route
 * can have.
 */
enum err request_read(struct http_req *q) MUST_CHECK;

#endif
