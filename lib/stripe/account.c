#include <string.h>

#include "json.h"
#include "private/call.h"

enum { NO_RIGHT = 403 };

enum err
stripe_account(struct stripe *s, mem_ctx *mem, const char **id)
{
	struct json_object	*account;
	int			status;
	enum err		e = stripe_call_status(s, mem, "GET", "/v1/account", NULL, NULL, &account, &status);

	*id = json_text(account, "/id");
	if (e == ERR_KEY_REFUSED && status == NO_RIGHT)
		return ERR_FORBIDDEN;
	TRY(e);
	return *id && strncmp(*id, "acct_", strlen("acct_")) == 0 ? OK : ERR_UPSTREAM;
}
