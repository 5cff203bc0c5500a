/* dispatch: finds a request's route and checks what must hold before its handler runs. */
#ifndef TOLLGATE_DISPATCH_H
#define TOLLGATE_DISPATCH_H

#include "worker.h"

/* What serve() hands every request to. */
struct dispatch {
	const struct app	*app;
	const struct route	*routes;
};

void dispatch_handle(void *dispatch, struct http_exchange *all, size_t n);
void dispatch_refuse(void *dispatch, struct http_req *q, struct http_res *r, enum err why);

/* The answers are out. */
void dispatch_after(void *dispatch);

/* The row with this path and method, or NULL. method NULL: any. */
const struct route *route_find(const struct route *routes, const char *path, const char *method);

#endif
