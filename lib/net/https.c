#include "https.h"

#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "address.h"
#include "private/handle.h"
#include "trust.h"

enum { HANDLES = 64 /* of each kind, at most */, LOW_SPEED_BYTES = 1, LOW_SPEED_SECONDS = 10 };

/* How many are kept: a program has as many feeds at once as streams, but few threads that exchange. */
static const unsigned	kept[HANDLE_KINDS] = { [HANDLE_WHOLE] = 16, [HANDLE_FEED] = HANDLES };

/* Each keeps its connection for the next exchange. */
struct shelf {
	struct handle	handles[HANDLES];
	unsigned	n;
};

struct https {
	pthread_mutex_t	lock;
	struct shelf	idle[HANDLE_KINDS];
	struct trust	*trust;		/* NULL: libcurl was built without a file of authorities */
	bool		local;
	int		stop_fd;	/* an eventfd, readable from https_stop() on */
};

int
handle_stop_fd(const struct https *h)
{
	return h->stop_fd;
}

static bool
https_stopped(const struct https *h, int wait_ms)
{
	struct pollfd	p = { .fd = h->stop_fd, .events = POLLIN };

	return poll(&p, 1, wait_ms) > 0;
}

static void
handle_free(struct handle x)
{
	curl_easy_cleanup(x.easy);
	if (x.multi != NULL)
		curl_multi_cleanup(x.multi);
}

static void
https_close(void *thing)
{
	struct https	*h = thing;

	for (struct shelf *s = h->idle; s < h->idle + HANDLE_KINDS; s++) {
		while (s->n > 0)
			handle_free(s->handles[--s->n]);
	}
	close(h->stop_fd);
	pthread_mutex_destroy(&h->lock);
}

struct https *
https_open(mem_ctx *ctx, bool local)
{
	struct https	*h = talloc_zero(ctx, struct https);
	const char	*authorities;

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK)
		abort();
	h->local = local;
	authorities = curl_version_info(CURLVERSION_NOW)->cainfo;
	if (authorities != NULL)
		h->trust = trust_open(h, authorities);
	h->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	pthread_mutex_init(&h->lock, NULL);
	mem_hang(h, h, https_close);
	return h;
}

void
https_stop(struct https *h)
{
	eventfd_write(h->stop_fd, 1);
}

bool
https_pause(struct https *h, int ms)
{
	return !https_stopped(h, ms);
}

struct handle
handle_take(struct https *h, enum handle_kind kind)
{
	struct shelf	*s = &h->idle[kind];
	struct handle	x = { 0 };

	pthread_mutex_lock(&h->lock);
	if (s->n > 0)
		x = s->handles[--s->n];
	pthread_mutex_unlock(&h->lock);
	if (x.easy == NULL)
		x = (struct handle){ curl_easy_init(), kind == HANDLE_FEED ? curl_multi_init() : NULL };
	return x;
}

void
handle_give(struct https *h, enum handle_kind kind, struct handle x)
{
	struct shelf	*s = &h->idle[kind];
	bool		has_room;

	curl_easy_reset(x.easy);
	pthread_mutex_lock(&h->lock);
	has_room = s->n < kept[kind];
	if (has_room)
		s->handles[s->n++] = x;
	pthread_mutex_unlock(&h->lock);
	if (!has_room)
		handle_free(x);
}

static size_t
body_received(char *bytes, size_t size, size_t n, void *arg)
{
	struct https_answer	*a = arg;

	if (a->body.len + size * n > a->max_body) {
		a->too_large = true;
		return 0;
	}
	buf_put(&a->body, bytes, size * n);
	return size * n;
}

/*
 * Refuses an address that a name server should not have answered for a public host: one of this machine or of a network
 * behind the firewall, where a request with our key must not go. SMTP has no such rule: relays are often in a private
 * network, and the operator names them.
 */
static curl_socket_t
public_socket(void *arg, curlsocktype purpose, struct curl_sockaddr *to)
{
	const char	**why = arg;

	(void)purpose;
	if (address_is_public(&to->addr))
		return socket(to->family, to->socktype | SOCK_CLOEXEC, to->protocol);
	*why = "the host's address is not public";
	return CURL_SOCKET_BAD;
}

static int
progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return https_stopped(arg, 0);
}

/* The options of every exchange: neither the environment nor a server can weaken them. */
static void
handle_rules(CURL *c, struct https *h, bool local)
{
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, local ? "http,https" : "https");
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_LIMIT, (long)LOW_SPEED_BYTES);
	curl_easy_setopt(c, CURLOPT_LOW_SPEED_TIME, (long)LOW_SPEED_SECONDS);
	curl_easy_setopt(c, CURLOPT_USERAGENT, "Tollgate/" TOLLGATE_VERSION);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, h);
}

static void
slist_release(void *list)
{
	curl_slist_free_all(list);
}

static struct curl_slist *
header_list(mem_ctx *mem, const char *const *headers)
{
	struct curl_slist	*list = NULL;

	for (; *headers != NULL; headers++)
		list = curl_slist_append(list, *headers);
	if (list != NULL)
		mem_hang(mem, list, slist_release);
	return list;
}

static void
handle_request(CURL *c, mem_ctx *mem, const struct https_request *q)
{
	long	most = q->connect_ms > 0 ? q->connect_ms : HTTPS_CONNECT_MS;
	long	connect_ms = q->timeout_ms < most ? q->timeout_ms : most;

	curl_easy_setopt(c, CURLOPT_URL, q->url);
	curl_easy_setopt(c, CURLOPT_HTTPHEADER, header_list(mem, q->headers));
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)q->timeout_ms);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, connect_ms);
	if (q->body != NULL) {
		curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE, (long)strlen(q->body));
		curl_easy_setopt(c, CURLOPT_POSTFIELDS, q->body);
	}
	curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, q->method);
}

void
handle_prepare(CURL *c, struct https *h, mem_ctx *mem, const struct https_request *q, const char **why)
{
	bool	local = h->local && !q->public_only;

	handle_rules(c, h, local);
	handle_request(c, mem, q);
	if (!local) {
		curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, public_socket);
		curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, why);
	}
}

static CURLcode
trust_given(CURL *c, void *ssl_ctx, void *trust)
{
	(void)c;
	return trust_use(trust, ssl_ctx) ? CURLE_OK : CURLE_SSL_CACERT_BADFILE;
}

void
handle_share_trust(CURL *c, struct https *h)
{
	if (h->trust == NULL || curl_easy_setopt(c, CURLOPT_SSL_CTX_FUNCTION, trust_given) != CURLE_OK)
		return;
	curl_easy_setopt(c, CURLOPT_SSL_CTX_DATA, h->trust);
	curl_easy_setopt(c, CURLOPT_CAINFO, NULL);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_CA_CACHE_TIMEOUT, 0L);	/* else the first ones stay a multi handle's for a day */
}

void
handle_headers(CURL *c, mem_ctx *mem, const char *const *named, const char **values)
{
	struct curl_header	*found;

	for (size_t i = 0; named[i] != NULL; i++) {
		values[i] = NULL;
		if (curl_easy_header(c, named[i], 0, CURLH_HEADER, -1, &found) == CURLHE_OK)
			values[i] = mem_copy(mem, found->value, strnlen(found->value, 200));
	}
}

void
https_exchange(struct https *h, mem_ctx *mem, const struct https_request *q, struct https_answer *a,
    const char *const *named, const char **values)
{
	struct handle	x = handle_take(h, HANDLE_WHOLE);
	CURLcode	code;
	long		status = 0;

	*a = (struct https_answer){ .max_body = q->max_body ? q->max_body : HTTPS_MAX_BODY, .body = { .ctx = mem } };
	handle_prepare(x.easy, h, mem, q, &a->why);
	curl_easy_setopt(x.easy, CURLOPT_WRITEFUNCTION, body_received);
	curl_easy_setopt(x.easy, CURLOPT_WRITEDATA, a);
	code = curl_easy_perform(x.easy);
	handle_headers(x.easy, mem, named, values);
	curl_easy_getinfo(x.easy, CURLINFO_RESPONSE_CODE, &status);
	if (code == CURLE_OK)
		a->status = (int)status;
	else if (a->why == NULL)
		a->why = curl_easy_strerror(code);
	handle_give(h, HANDLE_WHOLE, x);
}
