#include "passkey.h"

#include "challenge.h"
#include "json.h"

void
passkey_offer(struct visit *v, struct json_object *doc)
{
	const struct secret	*key = v->route->kind->session ? &v->session.stable : &v->flow;

	v->scripted = true;
	json_put(doc, "challenge", challenge_make(v->q->mem, key, challenge_now()));
}
