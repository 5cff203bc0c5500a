/* proof: that a visitor reads a mailbox, by a mailed link or its code: the pages /register/link and /reset/link. */
#ifndef TOLLGATE_PROOF_H
#define TOLLGATE_PROOF_H

#include "db.h"
#include "visit.h"

struct proof {
	const char	*purpose;	/* "register" or "reset": how its path, page and texts begin */
	const char	*token, *code;	/* as the form has them, or NULL */
	struct db_arg	link;		/* the token's digest, or SQL null */
	const char	*email;		/* whose mailbox it is */
	bool		own;		/* proven in the browser that asked */
};

/* The page that a mail leads to; without a link the one that waits for the mail's code. */
enum err proof_show(struct visit *v, struct db_visitor *me, const char *purpose) MUST_CHECK;

/* Reads the form "t code password". *proven false: the page is answered, and says what is missing. */
enum err proof_check(struct visit *v, struct db_visitor *me, const char *purpose, struct proof *out, bool *proven)
    MUST_CHECK;

/* The page again, for what is proven: another password is needed. password_error: name of the text that says why. */
enum err proof_again(struct visit *v, const struct proof *p, const char *password_error) MUST_CHECK;

/* The page of a link that is over. */
enum err proof_over(struct visit *v, const char *purpose) MUST_CHECK;

#endif
