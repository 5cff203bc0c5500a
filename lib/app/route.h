/*
 * route: a program's requests as tables of rows. A row names its handler by kind, and the kind decides what is checked
 * before the handler runs (dispatch.h) and which identity it gets. A handler in a row of another kind does not compile.
 */
#ifndef TOLLGATE_ROUTE_H
#define TOLLGATE_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "err.h"

struct buf;
struct db_key;
struct db_user;
struct db_visitor;
struct visit;

typedef enum err public_handler(struct visit *v);
typedef enum err visitor_handler(struct visit *v, struct db_visitor *me);
typedef enum err user_handler(struct visit *v, struct db_user *me);
typedef enum err key_handler(struct visit *v, struct db_key *me);
typedef void raw_handler(struct visit **all, size_t n);

/* What rows have in common. Each kind has a file of its own, so that a program links only those that its rows name. */
struct route_kind {
	bool		cookies;	/* the session and flow cookies are read */
	bool		json;		/* answers and errors are JSON whatever Accept says */
	bool		session;	/* needs a session: else 303 to /signin, or 401 as JSON */
	bool		bearer;		/* needs a key in Authorization: else 401 as JSON */
	enum err	(*check)(struct visit *v, bool *answered);	/* of requests other than GET and HEAD */
	enum err	(*run)(struct visit *v);			/* NULL: the raw handler */
};

/* Without identity: no cookie is read and the database is not asked. GET only. */
extern const struct route_kind kind_public;

/* Pages that need no session, and their forms: same origin and a form token bound to the browser's flow cookie. */
extern const struct route_kind kind_visitor;

/* Pages that need a session, and their forms: same origin and a form token bound to the session. */
extern const struct route_kind kind_user;

/*
 * JSON endpoints that need a session: Origin must be site.url, Sec-Fetch-Site same-origin if it is sent, the body empty
 * or application/json (parsed into visit.json). No token: a script on another site cannot send such a request.
 */
extern const struct route_kind kind_api;

/*
 * JSON endpoints for programs that send a tenant's key, "Authorization: Bearer tg_...", and never a cookie: a browser
 * adds no such header by itself, so no other site can have it sent, and Origin is not asked for. The body is as that of
 * kind_api.
 */
extern const struct route_kind kind_key;

/*
 * JSON endpoints for a scheduler that sends cron.secret, or the former one, as "Authorization: Bearer ...". While no
 * secret is configured, every request is refused with 401. The handler gets a visitor's identity.
 */
extern const struct route_kind kind_secret;

/*
 * For callers that authenticate by a signature: no identity, no check of form or origin, the body exactly as received.
 * A raw handler gets all requests that arrived together, and answers each of them.
 */
extern const struct route_kind kind_raw;

struct route {
	const char		*method;
	const char		*path;	/* a segment may be a parameter: "/api/chat/:id(uuid)"; kinds are in route.c */
	const struct route_kind	*kind;
	public_handler		*public;	/* the handler of its kind, the others NULL */
	visitor_handler		*visitor;
	user_handler		*user;
	key_handler		*key;
	raw_handler		*raw;
	bool			fresh;	/* of users who proved who they are lately: else ERR_CONFIRM */
	bool			bare;	/* its 401 has no "code": callers know the body byte for byte */
	size_t			body;	/* limit in bytes; 0: FORM_BODY */
};

enum { FORM_BODY = 16 * 1024, LARGE_BODY = 1024 * 1024, WEBHOOK_BODY = 1024 * 1024 };

#define PUBLIC(p, f) { .method = "GET", .path = (p), .kind = &kind_public, .public = (f) }
#define VISITOR(m, p, f) { .method = (m), .path = (p), .kind = &kind_visitor, .visitor = (f) }
#define USER(m, p, f) { .method = (m), .path = (p), .kind = &kind_user, .user = (f) }
#define LARGE_USER(m, p, f) { .method = (m), .path = (p), .kind = &kind_user, .user = (f), .body = LARGE_BODY }
#define FRESH(m, p, f) { .method = (m), .path = (p), .kind = &kind_user, .user = (f), .fresh = true }
#define API(m, p, f) { .method = (m), .path = (p), .kind = &kind_api, .user = (f) }
#define LARGE_API(m, p, f) { .method = (m), .path = (p), .kind = &kind_api, .user = (f), .body = LARGE_BODY }
#define FRESH_API(m, p, f) { .method = (m), .path = (p), .kind = &kind_api, .user = (f), .fresh = true }
#define KEY(m, p, f) { .method = (m), .path = (p), .kind = &kind_key, .key = (f) }
#define SECRET(m, p, f) { .method = (m), .path = (p), .kind = &kind_secret, .visitor = (f) }
#define RAW(m, p, f) { .method = (m), .path = (p), .kind = &kind_raw, .raw = (f), .body = WEBHOOK_BODY }

enum { ROUTE_PARAMS = 4 };

/* The parameters of a path that matched, in its order. Borrowed from the row and the path. */
struct route_params {
	unsigned	n;
	struct {
		const char	*name, *value;
		size_t		name_len, value_len;
	} list[ROUTE_PARAMS];
};

/*
 * The row with this path and method in all tables (NULL at the end; each ends with an empty row); of several matches,
 * the one with the fewest parameters; or NULL. method NULL: any.
 */
const struct route *route_find(const struct route *const *tables, const char *path, const char *method,
    struct route_params *params);

/* The methods of the rows with this path as an Allow header has them. */
void route_allow(const struct route *const *tables, const char *path, struct buf *out);

#endif
