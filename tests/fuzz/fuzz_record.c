/* Any bytes from a peer: cut in two they mean the same, and what passes the check libfcgi reads as we do. */
#include "fuzz.h"

#include <fcgiapp.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "http.h"
#include "record.h"

static bool
same(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static void
check_same(const struct record *a, const struct record *b)
{
	MUST(a->state == b->state);
	if (a->state == RECORD_REFUSED)
		MUST(strcmp(a->why, b->why) == 0);
	MUST(a->params_over == b->params_over && a->body_over == b->body_over);
	if (!a->params_over && !a->body_over)
		MUST(same(&a->params, &b->params) && same(&a->body, &b->body) && same(&a->reply, &b->reply));
}

/* libfcgi adds FCGI_ROLE; the names and values must be the bytes that were sent. */
static void
check_libfcgi(mem_ctx *mem, const struct record *r)
{
	struct buf	head = { .ctx = mem };
	FCGX_Request	fcgi;
	int		fd = memfd_create("fuzz", MFD_CLOEXEC);
	size_t		bytes = 0, n = 0;

	record_head(r, true, &head);
	MUST(pwrite(fd, head.data, head.len, 0) == (ssize_t)head.len);
	FCGX_InitRequest(&fcgi, -1, 0);
	fcgi.ipcFd = fd;
	fcgi.keepConnection = 1;
	MUST(FCGX_Accept_r(&fcgi) == 0);
	for (; fcgi.envp[n] != NULL; n++)
		bytes += strlen(fcgi.envp[n]) - 1;
	MUST(n <= HTTP_MAX_PARAMS + 1 && bytes <= r->params.len + strlen("FCGI_ROLERESPONDER"));
	fcgi.detached = 1;
	FCGX_Free(&fcgi, 1);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	mem_ctx		*mem = mem_new();
	size_t		cut = size > 0 ? data[size - 1] % size : 0;
	struct record	whole, halves;

	FCGX_Init();
	record_init(&whole, mem);
	record_init(&halves, mem);
	record_feed(&whole, data, size);
	record_feed(&halves, data, cut);
	record_feed(&halves, data + cut, size - cut);
	check_same(&whole, &halves);
	if (whole.state == RECORD_WHOLE && record_check(&whole) == OK)
		check_libfcgi(mem, &whole);
	talloc_free(mem);
	return 0;
}
