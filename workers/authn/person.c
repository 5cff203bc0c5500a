#include "person.h"

#include "json.h"
#include "text.h"

struct json_object *
person_new(struct visit *v, const struct callback *c, const char *subject)
{
	struct json_object	*person = json_new(v->q->mem);

	json_put(person, "provider", c->provider->name);
	json_put(person, "label", c->provider->label);
	json_put(person, "issuer", c->provider->issuer);
	json_put(person, "subject", subject);
	return person;
}

void
person_put_email(struct json_object *person, const char *email, bool verified)
{
	if (email == NULL || !text_is_email(email))
		return;
	json_put(person, "email", email);
	if (verified)
		json_put_true(person, "verified");
}
