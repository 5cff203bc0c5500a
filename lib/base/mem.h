/*
 * mem: request memory. Everything a request needs hangs on one talloc context, freed once at its end.
 *
 * Rules: a context is used by one thread at a time; a request's context is made with mem_new() (no parent), because
 * talloc parents are not safe to share between threads. Running out of memory ends the process, also within
 * a library: nothing checks for NULL. Handlers never free.
 */
#ifndef TOLLGATE_MEM_H
#define TOLLGATE_MEM_H

#include <stddef.h>
#include <talloc.h>

typedef TALLOC_CTX mem_ctx;

/* Call once in main(), before any thread: reports a misuse that talloc detects (access after free) before aborting. */
void mem_init(void);

/* A new context without a parent; free it with talloc_free(). */
mem_ctx *mem_new(void);

/* The same, with bytes preallocated; allocations on it use them first. */
mem_ctx *mem_pool(size_t bytes);

/* printf into ctx. */
char *mem_printf(mem_ctx *ctx, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Copy of n bytes with a NUL after them. */
char *mem_copy(mem_ctx *ctx, const void *bytes, size_t n);

/* Calls release(thing) when ctx is freed: how json-c objects, PGresults and the like hang on a request. */
void mem_hang(mem_ctx *ctx, void *thing, void (*release)(void *thing));

/* Frees what hangs on ctx, which stays: for a context of what one step of a long loop needs. */
void mem_empty(mem_ctx *ctx);

/* A growing byte string, NUL kept after the end. Start with { .ctx = mem }. */
struct buf {
	mem_ctx	*ctx;
	char	*data;
	size_t	len;
	size_t	room;
};

void buf_put(struct buf *b, const void *bytes, size_t n);
void buf_puts(struct buf *b, const char *s);
void buf_printf(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
