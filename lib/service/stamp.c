#include "stamp.h"

#include "json.h"
#include "log.h"

enum err
stamp_ask(struct stripe *s, mem_ctx *mem, const char **account)
{
	enum err	e = stripe_account(s, mem, account);

	if (e != ERR_FORBIDDEN)
		return e;
	log_line(LOG_WARN, "stripe_account", LOG_TEXT("reason", "the key lacks the right to read its Stripe account, which "
	    "therefore was not compared with the database's"));
	*account = NULL;
	return OK;
}

enum err
stamp_match(struct db_service *me, mem_ctx *mem, const char *account, bool learn, const char **why)
{
	struct json_object	*other;

	*why = NULL;
	if (account == NULL)
		return OK;
	TRY(db_service(me, &other, "service.match_account($1, $2::boolean)", ARGS(TEXT(account), BOOL(learn))));
	if (other == NULL)
		return OK;
	*why = mem_printf(mem, "the database belongs to %s at Stripe, and this key to %s: use a key of %s, or release the "
	    "database from that Stripe account with tollgate migrate --stamp", json_object_get_string(other), account,
	    json_object_get_string(other));
	return ERR_CONFLICT;
}
