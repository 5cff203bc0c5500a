/* ask: requests for unit tests, as serve would hand them over. Include after cmocka.h. */
#ifndef TOLLGATE_ASK_H
#define TOLLGATE_ASK_H

#include "http.h"
#include "record.h"
#include "unit.h"

/* ask(&q, mem, NAME, VALUE, ..., NULL) */
static inline void __attribute__((sentinel))
ask(struct http_req *q, mem_ctx *mem, ...)
{
	struct http_param	*params = talloc_array(mem, struct http_param, HTTP_MAX_PARAMS);
	va_list			ap;
	const char		*name;

	*q = (struct http_req){ .mem = mem, .method = "-", .path = "/", .query = "", .remote_addr = "", .params = params };
	va_start(ap, mem);
	while ((name = va_arg(ap, const char *)) != NULL)
		params[q->n_params++] = (struct http_param){ name, va_arg(ap, const char *) };
	va_end(ap);
}

/* The body that record has read for q. */
static inline void
give_body(struct http_req *q, struct record *r, const char *bytes, size_t n)
{
	record_init(r, q->mem);
	buf_put(&r->body, bytes, n);
	q->stream = r;
}

#endif
