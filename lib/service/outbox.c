#include "outbox.h"

#include "json.h"
#include "log.h"

enum err
outbox_claim(struct db_service *me, int lease_seconds, struct outbox_mail *m, bool *found)
{
	struct json_object	*doc;

	TRY(db_service(me, &doc, "service.claim_mail($1::int)", ARGS(INT(lease_seconds))));
	*found = doc != NULL;
	*m = (struct outbox_mail){ 0 };
	if (doc == NULL || json_at(doc, "/id") == NULL)
		return OK;
	*m = (struct outbox_mail){ json_text(doc, "/id"), json_text(doc, "/claim"), json_text(doc, "/recipient"),
	    json_text(doc, "/template"), json_text(doc, "/language"), json_at(doc, "/data") };
	return m->id && m->claim && m->recipient && m->template && m->language &&
	    json_object_is_type(m->data, json_type_object) ? OK : ERR_INTERNAL;
}

/* ERR_CONFLICT: the mail was claimed anew, after the lease ran out or after a report whose reply was lost. */
static enum err
reported(enum err e)
{
	return e == ERR_CONFLICT ? OK : e;
}

enum err
outbox_sent(struct db_service *me, const struct outbox_mail *m)
{
	log_line(LOG_INFO, "mail_sent", LOG_TEXT("mail", m->id), LOG_TEXT("template", m->template));
	return reported(db_service(me, NULL, "service.mail_sent($1::uuid, $2::uuid)", ARGS(TEXT(m->id), TEXT(m->claim))));
}

/* The log has the cause without the words: a server's may quote the recipient. */
enum err
outbox_failed(struct db_service *me, const struct outbox_mail *m, const char *why, const char *cause, bool permanent)
{
	log_line(LOG_WARN, "mail_failed", LOG_TEXT("mail", m->id), LOG_TEXT("template", m->template),
	    LOG_TEXT("cause", cause), LOG_INT("permanent", permanent));
	return reported(db_service(me, NULL, "service.mail_failed($1::uuid, $2::uuid, $3, $4::boolean, $5)",
	    ARGS(TEXT(m->id), TEXT(m->claim), TEXT(why), BOOL(permanent), TEXT(cause))));
}
