/* service: the identity of webhooks, jobs, mailer and the operator. Not on the include path of any other program. */
#ifndef TOLLGATE_SERVICE_H
#define TOLLGATE_SERVICE_H

#include "db.h"

struct db_service;
struct db_service *db_as_service(mem_ctx *mem, struct db *db);

#define db_service(me, out, call, args) db_service_call((me), (out), "select " call, (args))
enum err db_service_call(struct db_service *me, struct json_object **out, const char *sql, struct db_args args)
    MUST_CHECK;

/* A Stripe document as text for jsonb, with U+FFFD for U+0000, which jsonb cannot hold. Lives as long as doc. */
const char *service_jsonb(struct json_object *doc);

#endif
