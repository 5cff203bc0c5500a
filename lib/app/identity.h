/* identity: the request's sender, as the database is told and as it answers. */
#ifndef TOLLGATE_IDENTITY_H
#define TOLLGATE_IDENTITY_H

#include "db.h"
#include "visit.h"

/* The database as the holder of this request's session, for a visitor's page that treats members differently. */
struct db_user *identity_user(struct visit *v);

/* Whether the session is valid. False while the database is away: a visitor's page is shown all the same. */
bool identity_is_member(struct visit *v);

/* The flow cookie as the database may see it, or SQL null when the browser sent none. */
struct db_arg identity_flow(struct visit *v);

#endif
