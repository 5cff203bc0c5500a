/* restore: a customer of Stripe's whose tenant the database has lost, because it was restored from an older dump. */
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "commands.h"
#include "form.h"
#include "json.h"

static const struct outcome {
	const char	*match, *sentence;
	bool		done;
} outcomes[] = {
	{ "restored",	"is restored: its tenant is there again, and its owner is mailed a link",		true },
	{ "missing",	"would be restored: its tenant is not in the database",				true },
	{ "bound",	"is bound to its tenant, which is in the database",					true },
	{ "known",	"is known: nothing is to be done",							true },
	{ "taken",	"cannot be bound: its tenant has another customer, or it is another tenant's",		false },
	{ "unnamed",	"names no tenant, nor do its subscriptions, or they name different ones",		false },
	{ "no_address",	"has no e-mail address, so there is nobody to be the owner",				false },
	{ "no_plan",	"has no live subscription to a plan of ours",						false },
	{ 0 }
};

static int
tell(const struct operator *o, struct json_object *row)
{
	const struct outcome	*one = outcomes;
	const char		*match = json_text(row, "/match");

	while (one->match && (match == NULL || strcmp(one->match, match) != 0))
		one++;
	if (o->json)
		operator_json(row);
	else if (one->done)
		printf("%s %s\n", o->subject, one->sentence);
	if (one->done)
		return EX_OK;
	return operator_refused(o, "%s %s", o->subject, one->sentence ? one->sentence : "is in a state that is not known");
}

static enum err
restore(const struct operator *o, struct json_object **row)
{
	struct buf		path = { .ctx = o->mem }, form = { .ctx = o->mem };
	struct json_object	*customer, *subscriptions;

	buf_puts(&path, "/v1/customers/");
	form_escape(&path, o->subject);
	TRY(stripe_call(o->stripe, o->mem, "GET", path.data, NULL, NULL, &customer));
	if (json_true(customer, "/deleted"))
		return ERR_NOT_FOUND;
	form_put(&form, "customer", o->subject);
	form_put(&form, "status", "all");
	TRY(operator_list(o, "/v1/subscriptions", form.data, &subscriptions));
	return db_service(operator_as(o, o->mem), row, "ops.restore_customer($1::jsonb, $2::jsonb, $3::boolean)",
	    ARGS(TEXT(service_jsonb(customer)), TEXT(service_jsonb(subscriptions)), BOOL(o->dry_run)));
}

int
customer_restore(const struct operator *o)
{
	struct json_object	*row;
	enum err		e = restore(o, &row);

	if (e == ERR_NOT_FOUND)
		return operator_refused(o, "Stripe has no customer %s, or it was deleted", o->subject);
	return e == OK ? tell(o, row) : operator_failed(o, e);
}
