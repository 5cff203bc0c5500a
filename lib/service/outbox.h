/* outbox: mails that wait in the database to be sent, claimed one at a time under a lease. */
#ifndef TOLLGATE_OUTBOX_H
#define TOLLGATE_OUTBOX_H

#include <stdbool.h>

#include "service.h"

struct outbox_mail {
	const char		*id;
	const char		*claim;
	const char		*recipient;
	const char		*template;	/* "signin", "welcome", "failed", "notice_..." */
	const char		*language;
	struct json_object	*data;		/* what the template shows; holds a token */
};

/* *found: whether one is due. */
enum err outbox_claim(struct db_service *me, int lease_seconds, struct outbox_mail *m, bool *found) MUST_CHECK;

/* What became of it. Saying it twice changes nothing. permanent: it will not be tried again. */
enum err outbox_sent(struct db_service *me, const struct outbox_mail *m) MUST_CHECK;
enum err outbox_failed(struct db_service *me, const struct outbox_mail *m, const char *why, bool permanent) MUST_CHECK;

#endif
