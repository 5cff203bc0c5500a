/* operation: what a model is asked beside a conversation. */
#ifndef TOLLGATE_OPERATION_H
#define TOLLGATE_OPERATION_H

#include "work.h"

/*
 * request: as api.chat_operation() takes it. *fault: why nothing came of it, as a code of refusal.h, with what the
 * database has said in w->begun; else NULL, and the text is w's.
 */
enum err operation_run(struct visit *v, struct db_user *me, struct json_object *request, struct work *w,
    const char **fault) MUST_CHECK;

#endif
