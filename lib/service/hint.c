#include "hint.h"

#include "deadline.h"
#include "listen.h"

enum { APART_MS = 20, FAILED_MS = 1000 };	/* to the next hint, after a success and after a failure */

void
hint_want(struct hint *h)
{
	atomic_store(&h->pending, true);
}

void
hint_send(struct hint *h, struct db *db)
{
	int64_t		next = atomic_load(&h->next);
	mem_ctx		*mem;
	enum err	e;

	if (!atomic_load(&h->pending) || deadline_left(next) > 0 ||
	    !atomic_compare_exchange_strong(&h->next, &next, INT64_MAX))
		return;
	atomic_store(&h->pending, false);
	mem = mem_new();
	e = db_service(db_as_service(mem, db), NULL, "service.hint()", NO_ARGS);
	talloc_free(mem);
	atomic_store(&h->next, deadline_after(e == OK ? APART_MS : FAILED_MS));
}

enum err
hint_listen(struct db *db, enum hint_channel channel, int stop_fd, void (*told)(void *), void *arg)
{
	if (channel == HINT_MAIL)
		return db_listen(db, "tollgate_mail", stop_fd, told, arg);
	return db_listen(db, "tollgate_dirty", stop_fd, told, arg);
}
