#include "http.h"

#include <string.h>

#include "text.h"

/* Room kept for Status and Content-Length, which are written last. */
enum { HEAD_RESERVE = 64 };

static bool
is_token(const char *s)
{
	size_t	n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");

	return n > 0 && s[n] == '\0';
}

void
http_header(struct http_res *r, const char *name, const char *value)
{
	size_t	size = strlen(name) + strlen(value) + 4;

	if (!is_token(name) || !text_is_printable(value, strlen(value)) ||
	    r->head.len + size > HTTP_MAX_RESPONSE_HEAD - HEAD_RESERVE) {
		r->invalid = true;
		return;
	}
	r->head.ctx = r->mem;
	buf_puts(&r->head, name);
	buf_puts(&r->head, ": ");
	buf_puts(&r->head, value);
	buf_puts(&r->head, "\r\n");
}

void
http_set_cookie(struct http_res *r, const char *name, const char *value, long max_age)
{
	const char	*age = max_age < 0 ? "" : mem_printf(r->mem, "; Max-Age=%ld", max_age);

	if (!is_token(name + strspn(name, "_")) || strpbrk(value, " \",;\\") != NULL)
		r->invalid = true;
	http_header(r, "Set-Cookie",
	    mem_printf(r->mem, "%s=%s; Path=/; Secure; HttpOnly; SameSite=Lax%s", name, value, age));
}

enum err
http_redirect(struct http_res *r, const char *url)
{
	r->status = 303;
	r->body.len = 0;
	if (*url == '\0' || strchr(url, ' ') != NULL)
		r->invalid = true;
	http_header(r, "Location", url);
	return OK;
}

void
http_body(struct http_res *r, int status, const char *content_type, const char *bytes, size_t n)
{
	r->status = status;
	http_header(r, "Content-Type", content_type);
	r->body.ctx = r->mem;
	r->body.len = 0;
	buf_put(&r->body, bytes, n);
}
