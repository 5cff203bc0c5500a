/* upstream: a server in Stripe's place, with prepared answers; it keeps the requests. */
#ifndef TOLLGATE_TEST_UPSTREAM_H
#define TOLLGATE_TEST_UPSTREAM_H

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "json.h"
#include "stripe.h"

enum { MOST = 12, TIMEOUT_MS = 300 };

#define SILENCE ""		/* not a byte, until the other side gives up */
#define ANSWER(head, body) "HTTP/1.1 " head "\r\nConnection: close\r\nRetry-After: 0\r\n\r\n" body
#define FINE ANSWER("200 OK", "{\"id\":\"x_1\"}")

struct server {
	int		fd;
	const char	*answers[MOST];
	unsigned	n;		/* answers */
	char		asked[MOST][4096];
	unsigned	times;
	pthread_t	thread;
};

struct world {
	mem_ctx			*mem;
	struct server		server;
	struct stripe		*stripe;
	const char		*api_url;
	struct json_object	*doc;
	const char		*id;
	const char		*url;
};

static inline void
request_read(int fd, char *into, size_t room)
{
	size_t	n = 0;
	ssize_t	got;

	do {
		char		*end = strstr(into, "\r\n\r\n"), *length = strcasestr(into, "\r\nContent-Length:");

		if (end != NULL && strlen(end + 4) >= (length != NULL ? strtoul(length + 17, NULL, 10) : 0))
			return;
		got = recv(fd, into + n, room - n - 1, 0);
		n += got > 0 ? (size_t)got : 0;
	} while (got > 0);
}

static inline void *
server_run(void *arg)
{
	struct server	*s = arg;

	while (s->times < s->n) {
		int		fd = accept(s->fd, NULL, NULL);
		const char	*answer;
		char		rest[64];

		if (fd < 0)
			return NULL;
		answer = s->answers[s->times];	/* now: a test may set it after begin() */
		request_read(fd, s->asked[s->times++], sizeof(s->asked[0]));
		for (size_t left = strlen(answer); left > 0;) {
			ssize_t	sent = send(fd, answer + strlen(answer) - left, left, MSG_NOSIGNAL);

			if (sent <= 0)
				break;
			left -= (size_t)sent;
		}
		if (answer[0] != '\0')
			shutdown(fd, SHUT_WR);
		while (recv(fd, rest, sizeof(rest), 0) > 0)
			;
		close(fd);
	}
	return NULL;
}

static inline void
begin(struct world *w, const char *const *answers, unsigned n)
{
	struct sockaddr_in	a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t		size = sizeof(a);

	*w = (struct world){ .mem = mem_new() };
	memcpy(w->server.answers, answers, n * sizeof(*answers));
	w->server.n = n;
	w->server.fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(w->server.fd, (struct sockaddr *)&a, size), 0);
	assert_int_equal(listen(w->server.fd, 8), 0);
	assert_int_equal(getsockname(w->server.fd, (struct sockaddr *)&a, &size), 0);
	w->api_url = mem_printf(w->mem, "http://127.0.0.1:%d", ntohs(a.sin_port));
	w->stripe = stripe_open(w->mem, &(struct stripe_options){
		.api_url = w->api_url, .key = "sk_test_1",
		.version = "2026-07-29.dahlia", .portal_configuration = "bpc_1", .timeout_ms = TIMEOUT_MS,
	});
	assert_int_equal(pthread_create(&w->server.thread, NULL, server_run, &w->server), 0);
}

#define BEGIN(w, ...) \
	begin((w), (const char *const[]){ __VA_ARGS__ }, sizeof((const char *[]){ __VA_ARGS__ }) / sizeof(char *))

/* As many requests as `times`, no more and no less. */
static inline void
end(struct world *w, unsigned times)
{
	shutdown(w->server.fd, SHUT_RDWR);
	pthread_join(w->server.thread, NULL);
	close(w->server.fd);
	assert_int_equal(w->server.times, times);
	talloc_free(w->mem);
}

static inline enum err
ask(struct world *w)
{
	return stripe_call(w->stripe, w->mem, "POST", "/v1/things", "a=1&b=2", "key-1", &w->doc);
}

static inline int64_t
now_ms(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* One answer, one verdict, and how often it is asked for. */
static inline void
check(const char *answer, enum err verdict, unsigned times)
{
	struct world	w;

	BEGIN(&w, answer, answer, answer);
	assert_int_equal(ask(&w), verdict);
	end(&w, times);
}

#endif
