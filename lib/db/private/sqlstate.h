/* sqlstate: PostgreSQL's SQLSTATEs mapped to our errors, as one table. */
#ifndef TOLLGATE_SQLSTATE_H
#define TOLLGATE_SQLSTATE_H

#include <stdbool.h>

#include "err.h"

struct sqlstate {
	const char	*prefix;	/* of the code; the longest match counts */
	enum err	err;
	bool		again;		/* nothing was done; another run may succeed */
	bool		drop;		/* only a new connection may succeed */
};

/* Never NULL: a code outside the table is ERR_INTERNAL. */
const struct sqlstate *sqlstate_find(const char *code);

/* Whether our own functions raise this code on purpose: an answer, not a fault to log. */
bool sqlstate_is_answer(const char *code);

#endif
