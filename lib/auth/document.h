/*
 * document: a JSON document that an issuer publishes, fetched when it is first needed and kept. A fetch that fails
 * keeps the one before. Used by all threads, of which one fetches. The others take the one before, or wait a moment
 * where there is none: an issuer that hangs holds one thread.
 */
#ifndef TOLLGATE_DOCUMENT_H
#define TOLLGATE_DOCUMENT_H

#include <stdbool.h>

#include "https.h"
#include "json.h"

enum {
	DOCUMENT_MAX		= 256 * 1024,
	DOCUMENT_FETCH_MS	= 10000,
	DOCUMENT_AGAIN_MS	= 60000,	/* between two fetches, while there is one */
	DOCUMENT_FAILED_MS	= 5000,		/* after one that failed, while there is none */
	DOCUMENT_WAIT_MS	= 1000		/* for another thread's fetch, while there is none */
};

struct document;

enum document_wish {
	DOCUMENT_KEPT,		/* what there is; nobody is asked and nothing is waited for */
	DOCUMENT_ANY,
	DOCUMENT_NEWER		/* one younger than there is, unless the last fetch was within again_ms */
};

struct document_options {
	struct https	*https;
	const char	*url;
	int		least_ms, most_ms;	/* how long it is kept: what Cache-Control says, within these */
	int		again_ms;		/* between two fetches; 0: DOCUMENT_AGAIN_MS */
	int		wait_ms;		/* for another thread's fetch; 0: DOCUMENT_WAIT_MS */
	/* What is wrong with it, or NULL. It is read anew by each call. */
	const char	*(*fault)(mem_ctx *mem, const void *arg, struct json_object *doc);
	const void	*arg;
};

/* Hangs on ctx. Fetches nothing yet. */
struct document *document_open(mem_ctx *ctx, const struct document_options *options);

/* ERR_UNAVAILABLE: there is none, or none yet, and *why says it. *out hangs on mem. */
enum err document_read(struct document *d, mem_ctx *mem, enum document_wish wish, struct json_object **out,
    const char **why) MUST_CHECK;

/* Whether to read it with DOCUMENT_ANY would fetch, or wait for another thread's fetch. */
bool document_waits(struct document *d);

/*
 * How the last fetch went, where that is worth telling. True: *why says why it failed, also while an earlier document
 * serves; or is NULL, once for each fetch that succeeded. *why hangs on mem.
 */
bool document_news(struct document *d, mem_ctx *mem, const char **why);

#endif
