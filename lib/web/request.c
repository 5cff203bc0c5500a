#include "request.h"

#include <arpa/inet.h>
#include <stdatomic.h>
#include <string.h>
#include <strings.h>

#include "log.h"
#include "text.h"

/* Parameters the web server must set; without one it is misconfigured. */
static const char *const needed[] = { "REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL", "REMOTE_ADDR" };

/* Parameters that decide something. One given twice is refused: two readers could take different values of it. */
static const char *const once[] = {
	"REQUEST_METHOD", "REQUEST_URI", "SERVER_PROTOCOL", "REMOTE_ADDR", "CONTENT_LENGTH", "CONTENT_TYPE",
	"HTTP_HOST", "HTTP_ORIGIN", "HTTP_AUTHORIZATION", "HTTP_SEC_FETCH_SITE", "HTTP_STRIPE_SIGNATURE"
};

/* Those that HTTP knows. Which of them a target has is in the routes. */
static const char *const methods[] = {
	"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static enum err
check_params(const struct http_req *q)
{
	bool	twice;

	for (size_t i = 0; i < COUNT(needed); i++) {
		if (http_param(q, needed[i], NULL) != NULL)
			continue;
		log_line(LOG_ERROR, "web_server_misconfigured", LOG_TEXT("missing", needed[i]));
		return ERR_BAD_REQUEST;
	}
	for (size_t i = 0; i < COUNT(once); i++) {
		http_param(q, once[i], &twice);
		if (twice)
			return ERR_BAD_REQUEST;
	}
	return OK;
}

/*
 * Apache refuses TRACE by itself with 405. It then asks with GET for the page that says so (ErrorDocument), and has the
 * method of the request here.
 */
static const char *
refused_method(const struct http_req *q)
{
	const char	*status = http_param(q, "REDIRECT_STATUS", NULL);

	return status != NULL && strcmp(status, "405") == 0 ? http_param(q, "REDIRECT_REQUEST_METHOD", NULL) : NULL;
}

static enum err
read_method(struct http_req *q)
{
	const char	*method = refused_method(q);

	if (method == NULL)
		method = http_param(q, "REQUEST_METHOD", NULL);

	for (size_t i = 0; i < COUNT(methods); i++) {
		if (strcmp(method, methods[i]) == 0) {
			q->method = methods[i];
			return OK;
		}
	}
	return ERR_UNKNOWN_METHOD;
}

/*
 * A peer without an address (nginx says "unix:"), or with one that is not of the internet (a zone), cannot be told from
 * others like it: they all count as one, which no client has. A proxy is then missing from the web server's list.
 */
static const char *
read_address(const struct http_req *q)
{
	static const char	shared[] = "0.0.0.0";
	static atomic_flag	told = ATOMIC_FLAG_INIT;
	const char		*address = http_param(q, "REMOTE_ADDR", NULL);
	struct in6_addr		ip;

	if (inet_pton(AF_INET, address, &ip) == 1 || inet_pton(AF_INET6, address, &ip) == 1)
		return address;
	if (!atomic_flag_test_and_set(&told))
		log_line(LOG_WARN, "remote_addr_shared", LOG_TEXT("remote_addr", address));
	return shared;
}

/* A path as it may be sent: visible ASCII, no fragment, starting with '/' ("*" does not). */
static bool
is_sent_path(const char *uri, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (uri[i] < 0x21 || uri[i] > 0x7e || uri[i] == '#')
			return false;
	return n <= REQUEST_MAX_PATH && uri[0] == '/';
}

/* "/", or segments other than "", "." and "..", without a backslash. The last may be empty: "/a/". */
static bool
is_plain_path(const char *path)
{
	size_t	n;

	for (const char *p = path + 1;; p += n + 1) {
		n = strcspn(p, "/");
		if (n == 0 && p[n] == '/')
			return false;
		if ((n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		if (p[n] == '\0')
			return strchr(path, '\\') == NULL;
	}
}

/*
 * Cuts scheme and authority off a target in absolute form, which a server must take from any client: Apache hands it on
 * as it was sent, nginx its path alone.
 */
static const char *
read_authority(struct http_req *q, const char *uri)
{
	static const char *const	schemes[] = { "http://", "https://" };
	size_t				n;

	for (size_t i = 0; i < COUNT(schemes); i++) {
		if (strncasecmp(uri, schemes[i], strlen(schemes[i])) != 0)
			continue;
		uri += strlen(schemes[i]);
		n = strcspn(uri, "/?#");
		q->authority = mem_copy(q->mem, uri, n);
		uri += n;
		return *uri == '/' ? uri : mem_printf(q->mem, "/%s", uri);
	}
	return uri;
}

static bool
has_encoded_slash(const char *path, size_t n)
{
	for (size_t i = 0; i + 2 < n; i++)
		if (path[i] == '%' && path[i + 1] == '2' && (path[i + 2] | 0x20) == 'f')
			return true;
	return false;
}

static enum err
read_path(struct http_req *q, const char *uri, size_t n)
{
	const char	*path;

	TRY(form_unescape(q->mem, uri, n, &path));
	if (!text_is_printable(path, strlen(path)))
		return ERR_BAD_REQUEST;
	if (has_encoded_slash(uri, n) || !is_plain_path(path))
		return ERR_NOT_FOUND;
	q->path = path;
	return OK;
}

enum err
request_read(struct http_req *q)
{
	const char	*uri;
	size_t		 n;

	TRY(check_params(q));
	q->remote_addr = read_address(q);
	TRY(read_method(q));
	uri = read_authority(q, http_param(q, "REQUEST_URI", NULL));
	n = strcspn(uri, "?");
	if (!is_sent_path(uri, n))
		return ERR_BAD_REQUEST;
	q->query = uri[n] == '?' ? uri + n + 1 : "";
	return read_path(q, uri, n);
}
