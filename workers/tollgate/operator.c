#include "operator.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "json.h"
#include "resource.h"
#include "secret.h"
#include "stamp.h"
#include "table.h"

struct db_service *
operator_as(const struct operator *o, mem_ctx *mem)
{
	return db_as_service(mem, o->db);
}

/* An error in the operator's terms: err_info() is worded for a client of the web pages. */
static const char *
sentence_of(const struct operator *o, enum err e)
{
	if (e == ERR_INVALID && (o->since || o->until || o->at))
		return "a time is 2026-07-29, 2026-07-29T10:00:00Z, or a distance from now: 36h, 7d; "
		    "--since must be before --until";
	if (e == ERR_UNAVAILABLE || e == ERR_UNCERTAIN)
		return o->stripe && !stripe_is_up(o->stripe) ? "Stripe cannot be reached" :
		    o->stripe ? "the database or Stripe cannot be reached" : "the database cannot be reached";
	if (e == ERR_KEY_REFUSED)
		return "refused: Stripe rejects the key, or it lacks a right; the lines above name the call";
	if (e == ERR_INTERNAL && o->stripe)
		return "refused by the database or by Stripe; the lines above give the reason";
	return err_info(e)->sentence;
}

int
operator_code(enum err e)
{
	switch (e) {
	case OK:
		return EX_OK;
	case ERR_UNAVAILABLE:
	case ERR_UNCERTAIN:
	case ERR_UPSTREAM:
		return EX_UNAVAILABLE;
	case ERR_FORBIDDEN:
		return EX_CONFIG;
	default:
		return EXIT_FAILURE;
	}
}

int
operator_failed(const struct operator *o, enum err e)
{
	fflush(stdout);
	if (e != ERR_CLOSED)
		fprintf(stderr, "tollgate: %s: %s\n", o->name, sentence_of(o, e));
	return operator_code(e);
}

int
operator_refused(const struct operator *o, const char *format, ...)
{
	va_list	ap;

	fflush(stdout);
	fprintf(stderr, "tollgate: %s: ", o->name);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_FAILURE;
}

bool
operator_limit(const struct operator *o, int *limit)
{
	enum { DEFAULT = 50, MOST = 10000 };
	char	*end = "";
	long	n = o->limit ? strtol(o->limit, &end, 10) : DEFAULT;

	*limit = (int)n;
	if (*end == '\0' && n >= 1 && n <= MOST)
		return true;
	operator_refused(o, "--limit must be a number from 1 to %d", MOST);
	return false;
}

void
operator_json(struct json_object *doc)
{
	puts(json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

const char *
operator_colour(enum colour c)
{
	static const char *const	codes[] = { "\033[0m", "\033[32m", "\033[33m", "\033[31m" };
	const char			*refused = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((refused && *refused) || term == NULL || strcmp(term, "dumb") == 0 || !isatty(STDOUT_FILENO))
		return "";
	return codes[c];
}

enum err
operator_list(const struct operator *o, const char *path, const char *form, struct json_object **data)
{
	*data = json_hang(o->mem, json_object_new_array());
	return stripe_list_all(o->stripe, o->mem, path, form, INT64_MAX, *data);
}

enum err
operator_post(const struct operator *o, const char *path, const char *form, struct json_object **doc)
{
	struct secret	key;

	TRY(secret_random(&key));
	return stripe_call(o->stripe, o->mem, "POST", path, form, secret_hex(o->mem, &key), doc);
}

int
operator_stripe(struct operator *o)
{
	const char	*account, *why;
	enum err	e;

	o->stripe = resource_open_stripe(o->mem, o->config, o->db, (struct stripe_report){ 0 });
	e = stamp_ask(o->stripe, o->mem, &account);
	if (e == OK)
		e = stamp_match(operator_as(o, o->mem), o->mem, account, false, &why);
	if (e == ERR_CONFLICT) {
		operator_refused(o, "%s", why);
		return EX_CONFIG;
	}
	return e == OK ? EX_OK : operator_failed(o, e);
}

const char *
operator_tenant(const struct operator *o, int *code)
{
	struct json_object	*ids;
	enum err		e = db_service(operator_as(o, o->mem), &ids, "ops.find_tenants($1)", ARGS(TEXT(o->subject)));

	if (e != OK)
		*code = operator_failed(o, e);
	else if (json_object_array_length(ids) == 0)
		*code = operator_refused(o, "no tenant matches %s", o->subject);
	else if (json_object_array_length(ids) > 1)
		*code = operator_refused(o, "%s matches %zu tenants: give the ID of one: %s", o->subject,
		    json_object_array_length(ids), table_text(o->mem, ids));
	else
		return json_object_get_string(json_object_array_get_idx(ids, 0));
	return NULL;
}
