/* dispatch: finds a request's route and checks what must hold before its handler runs. */
#ifndef TOLLGATE_DISPATCH_H
#define TOLLGATE_DISPATCH_H

#include "visit.h"

/* The calls that serve() makes; app is a struct app. */
void dispatch_handle(void *app, struct http_exchange *all, size_t n);
void dispatch_refuse(void *app, struct http_req *q, struct http_res *r, enum err why);

/* Calls the worker's after() once responses are sent. */
void dispatch_after(void *app);

#endif
