/* users: the subcommands that show and help a user. */
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"
#include "text.h"

static int
done(const struct operator *o, enum err e, struct json_object *doc)
{
	if (e == ERR_NOT_FOUND || (e == OK && doc == NULL))
		return operator_refused(o, "there is no user %s", o->subject);
	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(doc);
	else
		table_values(o->mem, doc, "");
	return EX_OK;
}

int
user_show(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.show_user($1)", ARGS(TEXT(o->subject)));

	return done(o, e, doc);
}

int
user_address(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e;

	if (o->to == NULL || !text_is_email(o->to)) {
		operator_refused(o, "--to must be the new address");
		return EX_USAGE;
	}
	e = db_service(operator_as(o, o->mem), &doc, "ops.change_address($1, $2)", ARGS(TEXT(o->subject), TEXT(o->to)));
	if (e == ERR_CONFLICT)
		return operator_refused(o, "%s is the address of another user", o->to);
	return done(o, e, doc);
}

int
user_link(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.send_link($1)", ARGS(TEXT(o->subject)));

	return done(o, e, doc);
}

int
user_signout(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.end_sessions($1)", ARGS(TEXT(o->subject)));

	return done(o, e, doc);
}

int
user_factor(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.remove_factor($1)", ARGS(TEXT(o->subject)));

	return done(o, e, doc);
}

/* {"tenants"}: nothing has changed, because they would be left without an owner. */
int
user_delete(const struct operator *o)
{
	struct json_object	*doc, *tenants;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.delete_user($1)", ARGS(TEXT(o->subject)));

	tenants = e == OK ? json_at(doc, "/tenants") : NULL;
	if (tenants != NULL)
		return operator_refused(o, "%s is the last owner of tenants with other members, and hands them over first: %s",
		    o->subject, json_object_to_json_string_ext(tenants, JSON_C_TO_STRING_PLAIN));
	return done(o, e, doc);
}

int
user_keep(const struct operator *o)
{
	struct json_object	*doc;
	enum err		e = db_service(operator_as(o, o->mem), &doc, "ops.keep_user($1)", ARGS(TEXT(o->subject)));

	if (e == ERR_CONFLICT)
		return operator_refused(o, "no deletion of %s is under way", o->subject);
	return done(o, e, doc);
}
