#include "sync.h"

#include <string.h>

#include "form.h"
#include "json.h"
#include "log.h"

enum { WRITES = 3 };	/* at most, when replies are lost */

static const struct kind {
	const char	*name;
	const char	*path;
	const char	*write;
} kinds[] = {
	{ "checkout", "/v1/checkout/sessions/",
	    "select service.write_checkout($1::uuid, $2, $3, $4::bigint, $5::jsonb)" },
	{ "customer", "/v1/customers/",
	    "select service.write_customer($1::uuid, $2, $3, $4::bigint, $5::jsonb)" },
	{ "subscription", "/v1/subscriptions/",
	    "select service.write_subscription($1::uuid, $2, $3, $4::bigint, $5::jsonb)" },
};

struct piece {
	const char	*claim;
	const char	*kind;
	const char	*id;
	const char	*version;
};

static const struct kind *
kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* *found false: nothing is due. */
static enum err
piece_claim(struct db_service *me, mem_ctx *mem, int lease_seconds, struct piece *p, bool *found)
{
	struct json_object	*doc;

	TRY(db_service(me, &doc, "service.claim_object($1::int)", ARGS(TEXT(mem_printf(mem, "%d", lease_seconds)))));
	*found = doc != NULL;
	if (doc == NULL)
		return OK;
	*p = (struct piece){ json_text(doc, "/claim"), json_text(doc, "/kind"), json_text(doc, "/id"),
	    mem_printf(mem, "%lld", (long long)json_int(doc, "/version", 0)) };
	return p->claim != NULL && p->kind != NULL && p->id != NULL ? OK : ERR_INTERNAL;
}

static enum err
piece_fail(struct db_service *me, const struct piece *p, enum err why)
{
	struct json_object	*none;

	log_line(LOG_WARN, "sync_failed", LOG_TEXT("kind", p->kind), LOG_TEXT("id", p->id),
	    LOG_TEXT("reason", err_info(why)->name));
	return db_service(me, &none, "service.fail_object($1::uuid, $2, $3, $4)",
	    ARGS(TEXT(p->claim), TEXT(p->kind), TEXT(p->id), TEXT(err_info(why)->name)));
}

/* jsonb cannot hold U+0000. Stripe should never send it; if it does, the object must not stick here for that. */
static const char *
without_nul(struct json_object *doc)
{
	char	*text = (char *)json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN);

	for (char *s = strchr(text, '\\'); s != NULL; s = strchr(s + 2, '\\')) {
		if (strncmp(s, "\\u0000", 6) == 0)
			memcpy(s, "\\ufffd", 6);
	}
	return text;
}

/* A write says the same thing however often it is said, so a lost reply is answered by saying it again. */
static enum err
piece_write(struct db_service *me, const struct piece *p, const char *sql, const char *doc)
{
	struct json_object	*done;
	enum err		e = ERR_UNCERTAIN;

	for (int i = 0; i < WRITES && e == ERR_UNCERTAIN; i++) {
		if (doc != NULL)
			e = db_service_call(me, &done, sql,
			    ARGS(TEXT(p->claim), TEXT(p->kind), TEXT(p->id), TEXT(p->version), TEXT(doc)));
		else
			e = db_service_call(me, &done, sql,
			    ARGS(TEXT(p->claim), TEXT(p->kind), TEXT(p->id), TEXT(p->version)));
	}
	if (e == OK)
		log_line(LOG_INFO, "sync", LOG_TEXT("kind", p->kind), LOG_TEXT("id", p->id), LOG_TEXT("version", p->version));
	return e;
}

static enum err
piece_do(struct db_service *me, mem_ctx *mem, struct stripe *s, const struct piece *p)
{
	const struct kind	*k = kind_find(p->kind);
	struct buf		path = { .ctx = mem };
	struct json_object	*doc;
	enum err		e;

	if (k == NULL)
		return ERR_INTERNAL;
	buf_puts(&path, k->path);
	form_escape(&path, p->id);
	e = stripe_call(s, mem, "GET", path.data, NULL, NULL, &doc);
	if (e == ERR_NOT_FOUND)
		return piece_write(me, p, "select service.object_gone($1::uuid, $2, $3, $4::bigint)", NULL);
	TRY(e);
	return piece_write(me, p, k->write, without_nul(doc));
}

/* A conflict says that the lease ran out and another has taken over, or that our lost write did arrive: done. */
enum err
sync_one(struct db_service *me, mem_ctx *mem, struct stripe *s, int lease_seconds, bool *found)
{
	struct piece	p;
	enum err	e;

	TRY(piece_claim(me, mem, lease_seconds, &p, found));
	if (!*found)
		return OK;
	e = piece_do(me, mem, s, &p);
	return e == OK || e == ERR_CONFLICT ? OK : piece_fail(me, &p, e);
}
