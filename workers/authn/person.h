/* person: what a party says of the user whom it sent back, as the database takes it (auth.sign_in_by). */
#ifndef TOLLGATE_PERSON_H
#define TOLLGATE_PERSON_H

#include "grant.h"

enum { PERSON_NAME_MAX = 400 };		/* bytes */

/*
 * By an ID token that the issuer has signed for us. *nonce: that the token must have. ERR_UNAVAILABLE: a party does not
 * answer. ERR_INVALID: what it says is not to be believed. c->why says it.
 */
enum err person_by_token(struct visit *v, struct callback *c, struct json_object **out, const char **nonce) MUST_CHECK;

/* By GitHub's API, which signs nothing. *nonce is NULL. Errors as above. */
enum err person_by_github(struct visit *v, struct callback *c, struct json_object **out, const char **nonce)
    MUST_CHECK;

/* A document with what all of them have. subject: the party's own id of the user. */
struct json_object *person_new(struct visit *v, const struct callback *c, const char *subject);

/* Its address; verified: the party vouches for it. What is none that we write to is left out. */
void person_put_email(struct json_object *person, const char *email, bool verified);

#endif
