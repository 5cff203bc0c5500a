/*
 * work: an answer under its hold, from what api.chat_begin() or api.chat_operation() has answered to what
 * api.chat_settle() answers. Whatever happens between, the hold is settled; what is lost on the way expires.
 */
#ifndef TOLLGATE_WORK_H
#define TOLLGATE_WORK_H

#include "parts.h"
#include "turn.h"

struct work {
	struct visit		*v;
	struct json_object	*begun;		/* of the database: {"state": "started", ...} */
	struct parts		*parts;
	mem_ctx			*step;		/* what one message to the database needs */
	struct buf		text;		/* that was sent */
	unsigned		pieces;		/* in which it came */
	const char		*stopped;	/* why we ended it, as a code of refusal.h; NULL: we have not */
	bool			gone;		/* the client is */
	int64_t			began, noted;
	struct turn_result	turn;
	struct json_object	*settled;	/* NULL: the database has not answered yet */
};

enum { WORK_UNSEEN_MS = 50000 /* a web server waits a minute for an answer of which nothing has come */ };

struct work_how {
	struct parts	*parts;		/* where the text goes as it comes; NULL: it is asked for as a whole */
	bool		whole;		/* the provider is asked for it as a whole too */
	int		total_ms;	/* that it may take; 0: as configured */
};

/* begun must be "started". */
void work_run(struct work *w, struct visit *v, struct json_object *begun, const struct work_how *how);

/* Tells the database how it ended. False: it is away. */
bool work_settle(struct work *w);

enum {
	WORK_HOLD_MS	= 300000,	/* a hold that nobody settles has expired by then */
	WORK_SEEN_MS	= 5000		/* while somebody waits for the response */
};

/* Then tries again, ever more slowly, for so long, or until the server must stop. */
void work_settle_later(struct work *w, int ms);

/* Why there is no answer, or no whole one, as a code of refusal.h; NULL: there is one, or the client left. */
const char *work_fault(const struct work *w);

/* {"usage": {"input", "output"}, "left": tokens}, as much of it as is known. */
struct json_object *work_metadata(const struct work *w);

#endif
