/* typed: a password that somebody types to prove who they are. Its verdict is the database's, which is told K. */
#ifndef TOLLGATE_TYPED_H
#define TOLLGATE_TYPED_H

#include "password.h"
#include "visit.h"

/* What to stretch it with, as the database says. */
struct typed {
	struct secret		salt;
	struct password_cost	cost;
};

/* {"salt", "cost"}. False: doc has no such members. */
bool typed_read(struct json_object *doc, struct typed *out);

/* The form's password, stretched. One that no password of ours can be is stretched too, and is wrong. */
enum err typed_stretch(struct visit *v, const struct typed *t, struct secret *key) MUST_CHECK;

#endif
