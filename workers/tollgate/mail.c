#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "table.h"
#include "text.h"

static const struct column columns[] = {
	{ "CREATED", "/created_at" }, { "ID", "/id" }, { "STATE", "/state" }, { "TRIES", "/attempts" },
	{ "NEXT", "/next_at" }, { "TEMPLATE", "/template" }, { "TO", "/to" }, { "LAST ERROR", "/last_error" },
};

static bool
is_state(const char *s)
{
	static const char *const	states[] = { "pending", "sent", "dead", "void", "canceled", NULL };
	const char *const		*each = states;

	while (*each && strcmp(*each, s) != 0)
		each++;
	return *each != NULL;
}

int
mail_list(const struct operator *o)
{
	struct json_object	*rows;
	int			limit;
	enum err		e;

	if (!operator_limit(o, &limit))
		return EX_USAGE;
	if (o->state && !is_state(o->state)) {
		operator_refused(o, "--state must be pending, sent, dead, void or canceled");
		return EX_USAGE;
	}
	e = db_service(operator_as(o, o->mem), &rows, "ops.list_mails($1, $2::int)", ARGS(TEXT(o->state), INT(limit)));
	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(rows);
	else if (json_object_array_length(rows) == 0)
		printf(o->state ? "no such mails\n" : "no mail waits, and none is dead-lettered\n");
	else
		table_print(o->mem, rows, columns, sizeof(columns) / sizeof(columns[0]));
	return EX_OK;
}

/* Whether the argument, if there is one, can be a mail's ID. */
static bool
is_id(const struct operator *o)
{
	if (o->subject == NULL || text_is_uuid(o->subject, strlen(o->subject)))
		return true;
	operator_refused(o, "%s is not the ID of a mail: see tollgate mail list", o->subject);
	return false;
}

int
mail_show(const struct operator *o)
{
	struct json_object	*mail;
	enum err		e;

	if (!is_id(o))
		return EX_USAGE;
	e = db_service(operator_as(o, o->mem), &mail, "ops.show_mail($1::uuid)", ARGS(TEXT(o->subject)));
	if (e != OK)
		return operator_failed(o, e);
	if (mail == NULL)
		return operator_refused(o, "there is no mail %s", o->subject);
	if (o->json)
		operator_json(mail);
	else
		table_values(o->mem, mail, "");
	return EX_OK;
}

int
mail_retry(const struct operator *o)
{
	struct json_object	*done;
	int64_t			due;
	enum err		e;

	if (!is_id(o))
		return EX_USAGE;
	e = db_service(operator_as(o, o->mem), &done, "ops.retry_mails($1::uuid, $2::boolean)",
	    ARGS(TEXT(o->subject), BOOL(o->dead)));
	if (e != OK)
		return operator_failed(o, e);
	due = json_int(done, "/due", 0);
	if (o->subject && due == 0)
		return operator_refused(o, "mail %s does not wait, and is not dead-lettered", o->subject);
	if (o->json)
		operator_json(done);
	else
		printf("%lld %s now due\n", (long long)due, due == 1 ? "mail is" : "mails are");
	return EX_OK;
}

int
mail_cancel(const struct operator *o)
{
	struct json_object	*done;
	enum err		e;

	if (!is_id(o))
		return EX_USAGE;
	e = db_service(operator_as(o, o->mem), &done, "ops.cancel_mail($1::uuid)", ARGS(TEXT(o->subject)));
	if (e != OK)
		return operator_failed(o, e);
	if (!json_true(done, "/canceled"))
		return operator_refused(o, "mail %s does not wait, or is being sent", o->subject);
	if (o->json)
		operator_json(done);
	else
		printf("mail %s is canceled\n", o->subject);
	return EX_OK;
}
