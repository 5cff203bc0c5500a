/*
 * load: sends requests made beforehand over keep-alive connections, and tells how long the answers took.
 *
 *     load HOST PORT CONNECTIONS FILE COUNT
 *
 * FILE holds requests as they go over the wire, each after its length (four bytes, this machine's order). Prints
 * one JSON object: requests, answers other than 200, seconds, requests a second, microseconds at p50 and p99.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { ANSWER_MAX = 8192, CONNECTIONS_MAX = 1024 };

struct request {
	const char	*bytes;
	uint32_t	n;
};

struct link {
	int	fd;
	int64_t	began;
	size_t	have;
	char	answer[ANSWER_MAX + 1];
};

struct run {
	struct sockaddr_in	to;
	struct request		*requests;
	long			n, sent, done, bad;
	int32_t			*micros;
	struct link		links[CONNECTIONS_MAX];
};

static void
die(const char *what)
{
	fprintf(stderr, "load: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t
now(void)
{
	struct timespec	t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static struct request *
requests_read(const char *path, long n)
{
	struct request	*all = calloc((size_t)n, sizeof(*all));
	struct stat	st;
	int		fd = open(path, O_RDONLY);
	const char	*p, *end;

	if (fd < 0 || fstat(fd, &st) != 0)
		die(path);
	p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	end = p + st.st_size;
	for (long i = 0; i < n; i++) {
		uint32_t	size;

		if (p + 4 > end)
			die("too few requests");
		memcpy(&size, p, 4);
		all[i] = (struct request){ p + 4, size };
		p += 4 + size;
	}
	return all;
}

/* The next request out; all of it fits into a socket's buffer. */
static void
link_send(struct run *r, struct link *l)
{
	const struct request	*q = &r->requests[r->sent++];

	l->have = 0;
	l->began = now();
	if (send(l->fd, q->bytes, q->n, MSG_NOSIGNAL) != (ssize_t)q->n)
		die("send");
}

static void
link_open(struct run *r, struct link *l)
{
	l->fd = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(l->fd, (struct sockaddr *)&r->to, sizeof(r->to)) != 0)
		die("connect");
	setsockopt(l->fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

/* True once the answer is whole. */
static int
answer_is_whole(const struct link *l)
{
	const char	*end = strstr(l->answer, "\r\n\r\n"), *length = strcasestr(l->answer, "\r\nContent-Length:");

	if (end == NULL)
		return 0;
	if (length == NULL || length > end)
		die("an answer without Content-Length");
	return l->have >= (size_t)(end + 4 - l->answer) + strtoul(length + 17, NULL, 10);
}

static void
link_read(struct run *r, struct link *l)
{
	ssize_t	n = recv(l->fd, l->answer + l->have, ANSWER_MAX - l->have, 0);

	if (n <= 0)
		die("an answer was cut short");
	l->have += (size_t)n;
	l->answer[l->have] = '\0';
	if (!answer_is_whole(l))
		return;
	r->micros[r->done++] = (int32_t)(now() - l->began);
	r->bad += strncmp(l->answer + 9, "200", 3) != 0;
	if (strcasestr(l->answer, "\r\nConnection: close") != NULL) {
		close(l->fd);
		l->fd = -1;
	}
}

static int
by_size(const void *a, const void *b)
{
	return (*(const int32_t *)a > *(const int32_t *)b) - (*(const int32_t *)a < *(const int32_t *)b);
}

static void
watch(int epoll, struct link *l)
{
	struct epoll_event	e = { .events = EPOLLIN, .data.ptr = l };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, l->fd, &e) != 0)
		die("epoll_ctl");
}

int
main(int argc, char **argv)
{
	static struct run	r;
	struct epoll_event	events[64];
	int			epoll = epoll_create1(0), connections;
	int64_t			began;
	double			seconds;

	if (argc != 6)
		return 64;
	connections = atoi(argv[3]);
	r.n = atol(argv[5]);
	if (connections < 1 || connections > CONNECTIONS_MAX || r.n < connections)
		return 64;
	r.to = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])) };
	inet_pton(AF_INET, argv[1], &r.to.sin_addr);
	r.requests = requests_read(argv[4], r.n);
	r.micros = calloc((size_t)r.n, sizeof(*r.micros));
	for (int i = 0; i < connections; i++) {
		link_open(&r, &r.links[i]);
		watch(epoll, &r.links[i]);
	}
	began = now();
	for (int i = 0; i < connections; i++)
		link_send(&r, &r.links[i]);
	while (r.done < r.n) {
		int	n = epoll_wait(epoll, events, 64, 10000);

		if (n <= 0)
			die("no answer in 10 s");
		for (int i = 0; i < n; i++) {
			struct link	*l = events[i].data.ptr;
			long		before = r.done;

			link_read(&r, l);
			if (l->fd < 0) {
				link_open(&r, l);
				watch(epoll, l);
			}
			if (r.done > before && r.sent < r.n)
				link_send(&r, l);
		}
	}
	seconds = (double)(now() - began) / 1e6;
	qsort(r.micros, (size_t)r.n, sizeof(*r.micros), by_size);
	printf("{\"requests\": %ld, \"bad\": %ld, \"seconds\": %.3f, \"rate\": %.1f, \"p50_us\": %d, \"p99_us\": %d}\n",
	    r.n, r.bad, seconds, (double)r.n / seconds, r.micros[r.n / 2], r.micros[r.n * 99 / 100]);
	return 0;
}
