/* chosen: a password that somebody sets: judged, then stretched. */
#ifndef TOLLGATE_CHOSEN_H
#define TOLLGATE_CHOSEN_H

#include "password.h"
#include "visit.h"

struct chosen {
	char		*prepared;	/* wiped by chosen_stretch() */
	struct secret	salt, key;
	const char	*cost;
};

/* The form's "password". *why: name of the text that refuses it, or NULL. email: the user's, which is no password. */
enum err chosen_judge(struct visit *v, const char *email, struct chosen *out, const char **why) MUST_CHECK;

/* With a new salt. ERR_UNAVAILABLE: the machine stretches as many as it may. */
enum err chosen_stretch(struct visit *v, struct chosen *c) MUST_CHECK;

/* As the database reads an int[]. */
const char *cost_text(mem_ctx *mem, const struct password_cost *c);

/* The arguments of a call that stores it: salt, cost, K. */
#define CHOSEN(c) BYTES((c)->salt.bytes, SECRET_SIZE), TEXT((c)->cost), BYTES((c)->key.bytes, SECRET_SIZE)

#endif
