/* sqlstate: what PostgreSQL's five letters mean to us, as one table. */
#ifndef TOLLGATE_SQLSTATE_H
#define TOLLGATE_SQLSTATE_H

#include <stdbool.h>

#include "err.h"

struct sqlstate {
	const char	*prefix;	/* of the code; the longest one counts */
	enum err	err;
	bool		again;		/* nothing was done, and another run may well succeed */
	bool		drop;		/* this connection cannot do it, a fresh one may */
};

/* Never NULL: what the table does not know is ERR_INTERNAL. */
const struct sqlstate *sqlstate_find(const char *code);

/* Raised by our own functions on purpose: an answer, not a fault to log. */
bool sqlstate_is_answer(const char *code);

#endif
