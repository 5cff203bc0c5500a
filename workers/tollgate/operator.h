/* operator: one run of the command `tollgate`: its arguments, its connections, and the reports to the operator. */
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
	struct stripe		*stripe;	/* only for commands that call Stripe, else NULL */
	const char		*user;		/* who called it */
	const char		*name;		/* of the command: "events list" */
	const char		*subject;	/* its argument, or NULL */

	/* options, NULL or false when not given */
	const char		*state, *type, *object, *since, *until, *limit;
	const char		*plan, *reason, *after, *at, *proposals, *secret_file, *to, *out;
	bool			json, dry_run, dead, live, raw, stamp;
};

/* A database context whose answers live on mem. */
struct db_service *operator_as(const struct operator *o, mem_ctx *mem);

/*
 * Opens o->stripe. EX_CONFIG when the key is of another Stripe account than the database: only jobs records the
 * database's account.
 */
int operator_stripe(struct operator *o);

/* The exit status of an error: 69 the database or Stripe is unavailable, 78 another environment's database, else 1. */
int operator_code(enum err e);

/*
 * Print on stderr why the command failed, and return its exit status: operator_code(e), and 1 for operator_refused().
 * ERR_CLOSED prints nothing: the reason was printed before.
 */
int operator_failed(const struct operator *o, enum err e);
int operator_refused(const struct operator *o, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The id of the only tenant that o->subject names; else NULL, and *code is the exit status. */
const char *operator_tenant(const struct operator *o, int *code);

/* How many rows a list has: --limit, or 50. False, and told on stderr: it is no number from 1 to 10,000. */
bool operator_limit(const struct operator *o, int *limit);

/* One JSON value on one line of stdout. */
void operator_json(struct json_object *doc);

/* The escape sequence of a colour; "" unless stdout is a terminal with colours and NO_COLOR is unset or empty. */
enum colour { COLOUR_NONE, COLOUR_GOOD, COLOUR_WARN, COLOUR_BAD };
const char *operator_colour(enum colour c);

/* Every object of a list at Stripe, in memory: only for lists that are always short. */
enum err operator_list(const struct operator *o, const char *path, const char *form,
    struct json_object **data) MUST_CHECK;

/* A POST with a random idempotency key, which joins the attempts of this one call. */
enum err operator_post(const struct operator *o, const char *path, const char *form,
    struct json_object **doc) MUST_CHECK;

#endif
