#include "commands.h"

#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "table.h"

enum { ID_DIGITS = 18 };

static const struct column columns[] = {
	{ "ID", "/id" }, { "SINCE", "/raised_at" }, { "KIND", "/kind" }, { "ABOUT", "/subject" },
	{ "TENANT", "/tenant_id" }, { "DETAIL", "/detail" },
};

int
alerts_list(const struct operator *o)
{
	struct json_object	*rows;
	enum err		e = db_service(operator_as(o, o->mem), &rows, "ops.list_alerts()", NO_ARGS);

	if (e != OK)
		return operator_failed(o, e);
	if (o->json)
		operator_json(rows);
	else if (json_object_array_length(rows) == 0)
		printf("no open alerts\n");
	else
		table_print(o->mem, rows, columns, sizeof(columns) / sizeof(columns[0]));
	return EX_OK;
}

/* The alert is raised again when its cause is next seen. */
int
alerts_clear(const struct operator *o)
{
	size_t			digits = strspn(o->subject, "0123456789");
	struct json_object	*done;
	enum err		e;

	if (digits == 0 || digits > ID_DIGITS || o->subject[digits] != '\0') {
		operator_refused(o, "%s is not the ID of an alert: see tollgate alerts list", o->subject);
		return EX_USAGE;
	}
	e = db_service(operator_as(o, o->mem), &done, "ops.clear_alert($1::bigint)", ARGS(TEXT(o->subject)));
	if (e != OK)
		return operator_failed(o, e);
	if (!json_true(done, "/cleared"))
		return operator_refused(o, "there is no open alert %s: see tollgate alerts list", o->subject);
	if (o->json)
		operator_json(done);
	else
		printf("alert %s is cleared\n", o->subject);
	return EX_OK;
}
