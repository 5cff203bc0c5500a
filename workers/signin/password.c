/* password: signing in by one. Its verdict is the database's, which is told K and decides. */
#include "chosen.h"
#include "identity.h"
#include "json.h"
#include "page.h"
#include "session.h"
#include "signin.h"
#include "throttle.h"
#include "typed.h"

static enum err
refused(struct visit *v, const char *next, const char *fault)
{
	v->fault = fault;
	return signin_form(v, 429, next, NULL);
}

static bool
is_current(const struct password_cost *c)
{
	return c->memory == password_cost.memory && c->passes == password_cost.passes && c->lanes == password_cost.lanes;
}

/* Stretches the password as new ones are, now that it is at hand. The sign-in does not depend on it. */
static void
upgrade(struct visit *v, struct db_visitor *me, const char *email, const struct typed *old, const struct secret *key)
{
	struct typed	fresh = { .cost = password_cost };
	struct secret	new_key;

	if (is_current(&old->cost) || secret_random(&fresh.salt) != OK || typed_stretch(v, &fresh, &new_key) != OK)
		return;
	(void)!db_visitor(me, NULL, "api.upgrade_password($1, $2, $3, $4::int[], $5)", ARGS(TEXT(email),
	    BYTES(key->bytes, SECRET_SIZE), BYTES(fresh.salt.bytes, SECRET_SIZE),
	    TEXT(cost_text(v->q->mem, &fresh.cost)), BYTES(new_key.bytes, SECRET_SIZE)));
}

/* As of a link: a call whose reply was lost may be repeated, because the token is made here. */
static enum err
verdict_ask(struct visit *v, struct db_visitor *me, const char *email, const struct secret *key, const char *next,
    struct entrance *entry, struct json_object **verdict)
{
	TRY(entrance_new(v, entry));
	return db_visitor_repeat(me, verdict, "api.sign_in_password($1, $2, $3, $4, $5, $6::inet, $7, $8, $9)",
	    ARGS(TEXT(email), BYTES(key->bytes, SECRET_SIZE), BYTES(entry->stored.bytes, SECRET_SIZE),
	    TEXT(next), TEXT(v->language), TEXT(v->q->remote_addr), TEXT(visit_agent(v)),
	    identity_digest(v, &entry->device), BOOL(entry->remember)));
}

enum err
password_sign_in(struct visit *v, struct db_visitor *me, const char *email, const char *next)
{
	struct json_object	*doc, *verdict;
	struct entrance		entry;
	struct typed		k;
	struct secret		key;
	enum err		e;

	e = db_visitor(me, &doc, "api.begin_password($1, $2::int[], $3::inet, $4)", ARGS(TEXT(email),
	    TEXT(cost_text(v->q->mem, &password_cost)), TEXT(v->q->remote_addr), device_digest(v)));
	if (throttle_note(v, "password", e) == ERR_LIMIT)
		return refused(v, next, "fault_passwords");
	TRY(e);
	if (json_int(doc, "/wait", 0) > 0) {
		v->wait = json_int(doc, "/wait", 0);
		return refused(v, next, "fault_tries");
	}
	if (!typed_read(doc, &k))
		return ERR_INTERNAL;
	TRY(typed_stretch(v, &k, &key));
	TRY(verdict_ask(v, me, email, &key, target_allowed(next), &entry, &verdict));
	if (!json_true(verdict, "/ok")) {
		v->fault = "fault_password";
		return signin_form(v, 422, next, NULL);
	}
	upgrade(v, me, email, &k, &key);
	return json_true(verdict, "/second") ? entrance_ask_second(v, &entry) :
	    entrance_grant(v, &entry, json_text(verdict, "/next"));
}
