/* operator: one run of the operator's command: what was asked for, what it works with, and how it says what came of it. */
#ifndef TOLLGATE_OPERATOR_H
#define TOLLGATE_OPERATOR_H

#include <stdbool.h>
#include <stdio.h>

#include "config.h"
#include "service.h"
#include "stripe.h"

struct operator {
	mem_ctx			*mem;
	const char		*path;		/* of the configuration */
	const struct config	*config;
	struct db		*db;
	struct stripe		*stripe;	/* of commands that need the key */
	const char		*name;		/* of the command: "events list" */
	const char		*subject;	/* its argument, or NULL */

	/* options, NULL or false when not given */
	const char		*state, *type, *object, *since, *until, *limit;
	const char		*plan, *reason, *after, *at, *proposals, *secret_file;
	bool			json, dry_run, dead, live, raw, stamp;
};

/* An identity whose answers live on mem. */
struct db_service *operator_as(const struct operator *o, mem_ctx *mem);

/* The exit status for an error: 69 what cannot be reached, 78 (ERR_FORBIDDEN) a database of another environment, else 1. */
int operator_code(enum err e);

/*
 * Says on stderr why the command did not do what was asked, and answers its exit code: 1, or 69 for who cannot be reached.
 * ERR_CLOSED has been told already.
 */
int operator_failed(const struct operator *o, enum err e);
int operator_refused(const struct operator *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* One JSON value on one line of stdout. */
void operator_json(struct json_object *doc);

/* Green, yellow, red on a terminal that wants colours; "" elsewhere. */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD };
const char *operator_colour(enum colour c);

/* All of a list that is never long. */
enum err operator_list(const struct operator *o, const char *path, const char *form, struct json_object **data) MUST_CHECK;

/* A POST. Its key joins the attempts of this one call: what is asked again later is asked anew. */
enum err operator_post(const struct operator *o, const char *path, const char *form, struct json_object **doc) MUST_CHECK;

#endif
