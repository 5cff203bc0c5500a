/* alerts: has open alerts mailed to the operator. */
#include "mailer.h"
#include "service.h"

/* In the site's default language. The mail itself waits in the outbox like any other. */
enum err
alert_task(void *arg, mem_ctx *mem, bool *found)
{
	struct mailer		*mailer = arg;
	const struct config	*c = mailer->config;

	(void)found;
	return db_service(db_as_service(mem, mailer->db), NULL, "service.mail_alerts($1, $2, $3::int)",
	    ARGS(TEXT(c->ops.alert_to), TEXT(c->site.languages.items[0]), INT(c->ops.alert_hours)));
}
