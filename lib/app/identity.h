/* identity: the sender of a request, as the database knows it. */
#ifndef TOLLGATE_IDENTITY_H
#define TOLLGATE_IDENTITY_H

#include "db.h"
#include "visit.h"

/* The database identity of this request's session; also for a visitor's page that treats members differently. */
struct db_user *identity_user(struct visit *v);

/* The database identity of whoever sends this request. */
struct db_visitor *identity_visitor(struct visit *v);

/* That of a sign-in that lacks its second proof, by its cookie's token. */
struct db_user *identity_half(struct visit *v, const struct secret *token);

/* Calls the handler of a user's row, which must be fresh where the row says so. */
enum err identity_serve(struct visit *v) MUST_CHECK;

/* Once the session is over by its user's wish: the browser drops its cookie, and what it keeps of our pages. */
void identity_leave(struct visit *v);

/* Whether the session is valid. False while the database is away, so that a visitor's page is still shown. */
bool identity_is_member(struct visit *v);

/* The digest of a cookie or of a link's token, which the database may see. */
struct db_arg identity_digest(struct visit *v, const struct secret *token);

/* That digest of the flow cookie; SQL null when the browser sent no valid one. */
struct db_arg identity_flow(struct visit *v);

/* The digest of a mailed link's token, which the database may see. False for a malformed token. */
bool identity_link(struct visit *v, const char *token, struct db_arg *out);

#endif
