#include "batch.h"

#include <string.h>

#include "json.h"

enum { TRIES = 3 };	/* while the reply to a commit gets lost */

/* Of one thread, on its stack, from when it comes until its event is decided. */
struct batch_place {
	mem_ctx				*mem;
	struct inbox_item		item;
	pthread_cond_t			turn;		/* decided, or first to go */
	bool				decided;
	enum err			err;
	bool				duplicate;
	struct batch_place		*next;
};

/* The event may be in the database although the reply was lost. Saying it again is safe, and gives the answer. */
static void
store_alone(struct db *db, struct batch_place *p)
{
	struct db_service	*me = db_as_service(p->mem, db);

	p->err = ERR_UNCERTAIN;
	for (int i = 0; i < TRIES && p->err == ERR_UNCERTAIN; i++)
		p->err = inbox_receive(me, p->mem, p->item.event, p->item.receipt, &p->duplicate);
}

static enum err
store_all(struct db *db, mem_ctx *mem, struct batch_place *first, unsigned n)
{
	struct inbox_item	*items = talloc_array(mem, struct inbox_item, n);
	struct db_service	*me = db_as_service(mem, db);
	struct batch_place	*p = first;
	enum err		e = ERR_UNCERTAIN;

	for (unsigned i = 0; i < n; i++, p = p->next)
		items[i] = p->item;
	for (int i = 0; i < TRIES && e == ERR_UNCERTAIN; i++)
		e = inbox_receive_all(me, mem, items, n);
	for (unsigned i = 0; i < n; i++, first = first->next) {
		first->err = e;
		first->duplicate = items[i].duplicate;
	}
	return e;
}

/* Refused together, they may be fine but for one. While the database is away, asking for each would only take longer. */
static void
store(struct db *db, struct batch_place *first, unsigned n)
{
	mem_ctx		*mem = mem_new();
	enum err	e = ERR_CONFLICT;

	if (n > 1)
		e = store_all(db, mem, first, n);
	for (; e != OK && e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN && n > 0; n--, first = first->next)
		store_alone(db, first);
	talloc_free(mem);
}

/* Takes from the front what fits into one statement: always one, however large. */
static struct batch_place *
take(struct batch *b, unsigned *n)
{
	struct batch_place	*first = b->first, *p = first;
	size_t			bytes = 0;

	for (*n = 0; p != NULL && *n < BATCH_EVENTS; p = p->next, ++*n) {
		bytes += p->item.receipt->n;
		if (*n > 0 && bytes > BATCH_BYTES)
			break;
	}
	b->first = p;
	return first;
}

/* Under the lock, so that no place is gone before it was passed. */
static void
decide(struct batch *b, struct batch_place *p, unsigned n)
{
	for (; n > 0; n--, p = p->next) {
		p->decided = true;
		pthread_cond_signal(&p->turn);
	}
	if (b->first != NULL)
		pthread_cond_signal(&b->first->turn);
}

static void
flush(struct batch *b, struct db *db)
{
	unsigned		n;
	struct batch_place	*first = take(b, &n);

	b->flushing = true;
	pthread_mutex_unlock(&b->lock);
	store(db, first, n);
	pthread_mutex_lock(&b->lock);
	b->flushing = false;
	decide(b, first, n);
}

enum err
batch_receive(struct batch *b, struct db *db, mem_ctx *mem, const struct inbox_event *e, const struct inbox_receipt *r,
    bool *duplicate)
{
	struct batch_place	p = { .mem = mem, .item = { .event = e, .receipt = r }, .turn = PTHREAD_COND_INITIALIZER };

	pthread_mutex_lock(&b->lock);
	if (b->first == NULL)
		b->first = &p;
	else
		b->last->next = &p;
	b->last = &p;
	while (!p.decided) {
		if (b->flushing)
			pthread_cond_wait(&p.turn, &b->lock);
		else
			flush(b, db);
	}
	pthread_mutex_unlock(&b->lock);
	pthread_cond_destroy(&p.turn);
	*duplicate = p.duplicate;
	return p.err;
}
