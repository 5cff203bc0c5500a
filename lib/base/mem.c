#include "mem.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct hook {
	void	*thing;
	void	(*release)(void *thing);
};

static void
memory_exhausted(const char *reason)
{
	fprintf(stderr, "{\"level\":\"fatal\",\"event\":\"memory\",\"reason\":\"%s\"}\n", reason);
	abort();
}

void
mem_init(void)
{
	talloc_set_abort_fn(memory_exhausted);
}

/* The one place that decides what a failed allocation means. */
static void *
must(void *p)
{
	if (p == NULL)
		memory_exhausted("out of memory");
	return p;
}

/*
 * All allocations of the program and of its libraries go through these. A library that runs out of memory can make a
 * document without a member, or a request without a header, and say nothing. Sanitizers have a malloc of their own, and
 * end the process themselves.
 */
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#endif

#ifndef SANITIZED
extern void	*__libc_malloc(size_t n), *__libc_calloc(size_t n, size_t size), *__libc_realloc(void *p, size_t n);

void *
malloc(size_t n)
{
	return must(__libc_malloc(n));
}

void *
calloc(size_t n, size_t size)
{
	return must(__libc_calloc(n, size));
}

/* With n = 0 it is free(), and NULL no failure. */
void *
realloc(void *p, size_t n)
{
	void	*moved = __libc_realloc(p, n);

	return n == 0 ? moved : must(moved);
}
#endif

mem_ctx *
mem_new(void)
{
	return must(talloc_new(NULL));
}

mem_ctx *
mem_pool(size_t bytes)
{
	return must(talloc_pool(NULL, bytes));
}

char *
mem_printf(mem_ctx *ctx, const char *format, ...)
{
	va_list	ap;
	char	*s;

	va_start(ap, format);
	s = must(talloc_vasprintf(ctx, format, ap));
	va_end(ap);
	return s;
}

char *
mem_copy(mem_ctx *ctx, const void *bytes, size_t n)
{
	char	*s = must(talloc_size(ctx, n + 1));

	if (n > 0)
		memcpy(s, bytes, n);
	s[n] = '\0';
	return s;
}

static int
hook_fire(struct hook *h)
{
	h->release(h->thing);
	return 0;
}

void
mem_hang(mem_ctx *ctx, void *thing, void (*release)(void *thing))
{
	struct hook	*h = must(talloc(ctx, struct hook));

	*h = (struct hook){ thing, release };
	talloc_set_destructor(h, hook_fire);
}

void
mem_empty(mem_ctx *ctx)
{
	talloc_free_children(ctx);
}

void
buf_put(struct buf *b, const void *bytes, size_t n)
{
	if (b->len + n + 1 > b->room) {
		b->room = (b->len + n + 1) * 2;
		b->data = must(talloc_realloc_size(b->ctx, b->data, b->room));
	}
	if (n > 0)
		memcpy(b->data + b->len, bytes, n);
	b->len += n;
	b->data[b->len] = '\0';
}

void
buf_puts(struct buf *b, const char *s)
{
	buf_put(b, s, strlen(s));
}

void
buf_printf(struct buf *b, const char *format, ...)
{
	va_list	ap;
	char	*s;

	va_start(ap, format);
	s = must(talloc_vasprintf(b->ctx, format, ap));
	va_end(ap);
	buf_puts(b, s);
	talloc_free(s);
}
