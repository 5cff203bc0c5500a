#include "origin.h"

#include <string.h>

static const char host_characters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]";

/* The part after "://", or NULL when the scheme is not http or https. */
static const char *
origin_host(const char *url)
{
	if (strncmp(url, "https://", 8) == 0)
		return url + 8;
	if (strncmp(url, "http://", 7) == 0)
		return url + 7;
	return NULL;
}

char *
origin_of(mem_ctx *ctx, const char *url)
{
	const char	*host = origin_host(url);
	size_t		n;

	if (host == NULL)
		return NULL;
	n = strspn(host, host_characters);
	if (n == 0 || strchr("/?#", host[n]) == NULL)
		return NULL;
	return mem_copy(ctx, url, (size_t)(host - url) + n);
}

bool
origin_holds(const char *origin, const char *url)
{
	size_t	n = strlen(origin);

	if (strncmp(url, origin, n) != 0 || url[n] != '/')
		return false;
	for (const char *s = url; *s != '\0'; s++) {
		if (*s <= ' ' || *s > '~' || *s == '\\' || *s == '"' || *s == '<' || *s == '>')
			return false;
	}
	return true;
}

/* Neither 127.0.0.1.example.com may pass nor localhost:1@example.com: after the host only digits of a port. */
bool
origin_is_loopback(const char *origin)
{
	const char	*host = origin_host(origin);
	size_t		n;

	if (host == NULL)
		return false;
	if (strncmp(host, "[::1]", 5) == 0)
		n = 5;
	else if (strncmp(host, "localhost", 9) == 0)
		n = 9;
	else if (strncmp(host, "127.", 4) == 0)
		n = strspn(host, "0123456789.");
	else
		return false;
	if (host[n] == ':')
		n += 1 + strspn(host + n + 1, "0123456789");
	return host[n] == '\0';
}
