#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "file.h"
#include "form.h"
#include "json.h"
#include "progress.h"
#include "table.h"
#include "user.h"

enum { FILE_MAX = 64 * 1024 * 1024 };

struct backfill {
	const struct operator	*o;
	struct progress		progress;
	long			seen, bound, proposed, refused;
};

static bool
matches(struct json_object *row, const char *match)
{
	const char	*is = json_text(row, "/match");

	return is && strcmp(is, match) == 0;
}

static void
line_print(const struct backfill *b, mem_ctx *mem, struct json_object *row)
{
	const char	*tenants = json_text(row, "/tenant") ? "/tenant" : "/tenants";

	if (b->o->json)
		operator_json(row);
	else
		printf("%s %s: %s %s\n", json_text(row, "/customer"), table_text(mem, json_at(row, "/email")),
		    b->o->dry_run && matches(row, "bound") ? "would be bound to" : table_text(mem, json_at(row, "/match")),
		    table_text(mem, json_at(row, tenants)));
}

/* *ids: a JSON array. Subscriptions of a customer that was not bound may be orphans: they are fetched when it is. */
static enum err
subscriptions_read(const struct backfill *b, mem_ctx *mem, const char *customer, const char **ids)
{
	struct json_object	*list = json_hang(mem, json_object_new_array());
	struct buf		form = { .ctx = mem };
	struct stripe_list	l = { .path = "/v1/subscriptions", .more = true };

	form_put(&form, "customer", customer);
	form_put(&form, "status", "all");
	l.form = form.data;
	while (l.more) {
		TRY(stripe_list(b->o->stripe, mem, &l));
		for (size_t i = 0; i < json_object_array_length(l.data); i++)
			json_object_array_add(list, json_object_new_string(json_text(json_object_array_get_idx(l.data, i), "/id")));
	}
	*ids = json_object_to_json_string(list);
	return OK;
}

/* Sets row's "match" to the outcome. */
static enum err
customer_bind(struct backfill *b, mem_ctx *mem, struct json_object *row)
{
	const char		*customer = json_text(row, "/customer"), *ids = NULL;
	struct json_object	*done;

	if (!b->o->dry_run)
		TRY(subscriptions_read(b, mem, customer, &ids));
	TRY(db_service(operator_as(b->o, mem), &done, "ops.accept_customer($1, $2, $3::jsonb)",
	    ARGS(TEXT(json_text(row, "/tenant")), TEXT(customer), TEXT(ids))));
	json_object_object_add(row, "match", json_object_get(json_at(done, "/match")));
	b->bound += matches(row, "bound");
	return OK;
}

static enum err
row_work(struct backfill *b, mem_ctx *mem, struct json_object *row)
{
	if (matches(row, "bound"))
		TRY(customer_bind(b, mem, row));
	b->proposed += matches(row, "proposed");
	b->refused += matches(row, "conflict") || matches(row, "taken");
	if (!matches(row, "known") && !matches(row, "unknown"))
		line_print(b, mem, row);
	return OK;
}

static enum err
page_work(struct backfill *b, mem_ctx *mem, struct stripe_list *l)
{
	struct json_object	*rows;

	TRY(stripe_list(b->o->stripe, mem, l));
	TRY(db_service(operator_as(b->o, mem), &rows, "ops.match_customers($1::jsonb)",
	    ARGS(TEXT(json_object_to_json_string_ext(l->data, JSON_C_TO_STRING_PLAIN)))));
	for (size_t i = 0; i < json_object_array_length(rows); i++)
		TRY(row_work(b, mem, json_object_array_get_idx(rows, i)));
	b->seen += (long)json_object_array_length(l->data);
	progress_step(&b->progress, b->seen, l->after);
	return OK;
}

/* Each page has its own memory. The last id is copied only after the whole page is done: --after continues there. */
static enum err
customers_walk(struct backfill *b)
{
	struct stripe_list	l = { .path = "/v1/customers", .more = true };
	const char		*done = b->o->after;
	enum err		e = OK;

	while (l.more && e == OK) {
		mem_ctx	*mem = mem_new();

		l.after = done;
		e = page_work(b, mem, &l);
		if (e == OK && l.after)
			done = mem_printf(b->o->mem, "%s", l.after);
		talloc_free(mem);
	}
	if (e != OK && done)
		fprintf(stderr, "continue with --after %s\n", done);
	return e;
}

/* The operator has accepted the proposal, but the customer may have changed since: it is fetched and checked again. */
static enum err
proposal_work(struct backfill *b, mem_ctx *mem, struct json_object *row)
{
	const char		*customer = json_text(row, "/customer"), *tenant = json_text(row, "/tenant"), *named;
	struct buf		path = { .ctx = mem };
	struct json_object	*doc;
	enum err		e;

	if (!matches(row, "proposed") || customer == NULL || tenant == NULL)
		return OK;
	buf_puts(&path, "/v1/customers/");
	form_escape(&path, customer);
	e = stripe_call(b->o->stripe, mem, "GET", path.data, NULL, NULL, &doc);
	if (e != OK && e != ERR_NOT_FOUND)
		return e;
	named = json_text(doc, "/metadata/tenant_id");
	if (e == ERR_NOT_FOUND || json_true(doc, "/deleted"))
		json_put(row, "match", "gone");
	else if (named && strcmp(named, tenant) != 0)
		json_put(row, "match", "conflict");
	else
		TRY(customer_bind(b, mem, row));
	b->refused += !matches(row, "bound") && !matches(row, "known");
	line_print(b, mem, row);
	return OK;
}

static enum err
proposal_line(struct backfill *b, const char *line, size_t n, unsigned number)
{
	mem_ctx			*mem = mem_new();
	struct json_object	*row;
	enum err		e = n > 0 ? json_parse(mem, line, n, &row) : OK;

	if (e != OK || (n > 0 && !json_object_is_type(row, json_type_object))) {
		operator_refused(b->o, "%s:%u: is not a JSON object", b->o->proposals, number);
		e = ERR_CLOSED;
	} else if (n > 0) {
		e = proposal_work(b, mem, row);
		b->seen++;
	}
	talloc_free(mem);
	progress_step(&b->progress, b->seen, NULL);
	return e;
}

static enum err
proposals_apply(struct backfill *b)
{
	unsigned	number = 0;
	char		*text;
	size_t		n;
	enum err	e;

	user_as_caller(true);
	e = file_read(b->o->mem, b->o->proposals, FILE_MAX, &text, &n);
	user_as_caller(false);
	if (e != OK)
		return ERR_CLOSED;
	while (*text) {
		size_t	length = strcspn(text, "\n");

		TRY(proposal_line(b, text, length, ++number));
		text += length + (text[length] == '\n');
	}
	return OK;
}

int
customers_backfill(const struct operator *o)
{
	struct backfill	b = { .o = o };
	enum err	e;

	progress_begin(&b.progress, o->proposals ? "proposals read:" : "customers read:", 0);
	e = o->proposals ? proposals_apply(&b) : customers_walk(&b);
	if (e != OK)
		return operator_failed(o, e);
	progress_end(&b.progress, b.seen);
	fprintf(stderr, "%ld %sbound, %ld proposed, %ld refused\n", b.bound, o->dry_run ? "would be " : "", b.proposed,
	    b.refused);
	return b.refused ? EXIT_FAILURE : EX_OK;
}
