/* operators: the subcommands that name the users who may use the pages of the site's operators. */
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"

static const struct column columns[] = {
	{ "ADDRESS", "/email" }, { "SINCE", "/added_at" }, { "BY", "/added_by" }, { "SECOND FACTOR", "/factor" },
	{ "SUSPENDED", "/suspended" },
};

/* what: the member of doc that says whether something changed. */
static int
done(const struct operator *o, enum err e, struct json_object *doc, const char *what, const char *is, const char *was)
{
	if (e == ERR_NOT_FOUND)
		return operator_refused(o, "there is no user %s", o->subject);
	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(doc);
	else
		printf("%s %s\n", json_text(doc, "/email"), json_true(doc, what) ? is : was);
	return EX_OK;
}

int
operators_add(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e;
	int			code;

	e = db_service(operator_as(o, o->mem), &doc, "ops.add_operator($1, $2)", ARGS(TEXT(o->subject), TEXT(o->user)));
	code = done(o, e, doc, "/added", "is an operator now", "was an operator already");
	if (code == EX_OK && !o->json && !json_true(doc, "/factor"))
		printf("/admin asks for a second factor, which this user has not added yet\n");
	return code;
}

int
operators_remove(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.remove_operator($1)", ARGS(TEXT(o->subject)));

	return done(o, e, doc, "/removed", "is no operator any more", "was no operator");
}

int
operators_list(const struct operator *o)
{
	struct json_object	*rows;
	enum err		e = db_service(operator_as(o, o->mem), &rows, "ops.list_operators()", NO_ARGS);

	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(rows);
	else if (json_object_array_length(rows) == 0)
		printf("no operators\n");
	else
		table_print(o->mem, rows, columns, sizeof(columns) / sizeof(columns[0]));
	return EX_OK;
}
