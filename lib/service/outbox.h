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
	struct json_object	*data;		/* what the template shows; may hold a token */
};

/*
 * *found: whether mails were due. m->id is NULL when those that were due may not be sent (their links are for no user):
 * they are ended, others may wait, so the caller claims again.
 */
enum err outbox_claim(struct db_service *me, int lease_seconds, struct outbox_mail *m, bool *found) MUST_CHECK;

/*
 * Report the result; a repeated report changes nothing. permanent: the mail is dead-lettered without another try.
 * cause: what keeps other mails back too, so that the try does not count; NULL: this mail failed alone.
 */
enum err outbox_sent(struct db_service *me, const struct outbox_mail *m) MUST_CHECK;
enum err outbox_failed(struct db_service *me, const struct outbox_mail *m, const char *why, const char *cause,
    bool permanent) MUST_CHECK;

#endif
