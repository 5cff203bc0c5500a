#include "crowd.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "deadline.h"
#include "log.h"

enum {
	BACK_OFF_MS	= 100,
	COMPLAIN_MS	= 1000,
	FRESH_MS	= 200		/* a connection that is younger is not dropped for another */
};

enum { STOP, LISTEN, BACK, OTHERS };	/* what is polled: the last are all connections */

bool
crowd_open(struct crowd *c, int listen_fd, int stop)
{
	*c = (struct crowd){
		.listen_fd = listen_fd, .stop = stop, .turn = PTHREAD_MUTEX_INITIALIZER, .complained = clock_ms() - COMPLAIN_MS
	};
	return pipe2(c->back, O_CLOEXEC | O_NONBLOCK) == 0;
}

void
crowd_close(struct crowd *c)
{
	close(c->back[0]);
	close(c->back[1]);
}

/* A write of a pointer is atomic. A full pipe holds thousands: such a peer loses the end of what it sends. */
void
crowd_return(struct crowd *c, struct connection *one)
{
	if (write(c->back[1], &one, sizeof(one)) != sizeof(one))
		connection_close(one);
}

/* Out of descriptors or memory: waits for other threads to release some, and logs it at most once a second. */
static void
back_off(struct crowd *c, int error)
{
	struct pollfd	p = { .fd = c->stop, .events = POLLIN };

	if (clock_ms() - c->complained >= COMPLAIN_MS) {
		c->complained = clock_ms();
		log_line(LOG_ERROR, "accept", LOG_TEXT("error", strerrorname_np(error)));
	}
	poll(&p, 1, BACK_OFF_MS);
}

/* While all threads were answering, none read from these connections: their deadlines do not count that time. */
static void
excuse_all(const struct crowd *c)
{
	int64_t	away = clock_ms() - c->left;

	for (size_t i = 0; i < c->n; i++)
		connection_excuse(c->all[i], away);
}

/* How long the crowd is full of those that have only just come: the next ones wait in the kernel meanwhile. */
static int
full_ms(const struct crowd *c)
{
	return c->n < CROWD_MAX ? 0 : deadline_left(connection_came(c->all[0]) + FRESH_MS);
}

/* Once the server must stop, only those that are coming count. */
static void
await(const struct crowd *c, struct pollfd *p, bool stop)
{
	int	full = full_ms(c);
	int64_t	first = full > 0 ? deadline_after(full) : INT64_MAX;

	p[STOP] = (struct pollfd){ .fd = stop ? -1 : c->stop, .events = POLLIN };
	p[LISTEN] = (struct pollfd){ .fd = stop || full > 0 ? -1 : c->listen_fd, .events = POLLIN };
	p[BACK] = (struct pollfd){ .fd = c->back[0], .events = POLLIN };
	for (size_t i = 0; i < c->n; i++) {
		p[OTHERS + i] = (struct pollfd){ .fd = connection_fd(c->all[i]), .events = POLLIN };
		first = deadline_earlier(first, connection_deadline(c->all[i]));
	}
	if (poll(p, OTHERS + c->n, c->n == 0 ? -1 : deadline_left(first)) < 0)
		p[STOP].revents = p[LISTEN].revents = p[BACK].revents = 0;
}

/* Reads where something has come or the time is over. Takes what is whole or refused, and closes what has lingered. */
static size_t
read_all(struct crowd *c, const struct pollfd *p, struct connection **whole, size_t most)
{
	size_t	kept = 0, n = 0;

	for (size_t i = 0; i < c->n; i++) {
		struct connection	*one = c->all[i];
		bool			due = p[i].revents != 0 || deadline_left(connection_deadline(one)) == 0;

		if (!due || n == most || !connection_read(one))
			c->all[kept++] = one;
		else if (connection_lingers(one))
			connection_close(one);
		else
			whole[n++] = one;
	}
	c->n = kept;
	return n;
}

static void
take_back(struct crowd *c)
{
	struct connection	*one;

	for (int i = 0; i < CROWD_ACCEPTS && read(c->back[0], &one, sizeof(one)) == sizeof(one); i++)
		c->all[c->n++] = one;
}

static void
drop_longest(struct crowd *c)
{
	size_t	bytes = 0, gone = 0;

	for (size_t i = 0; i < c->n; i++)
		bytes += connection_bytes(c->all[i]);
	for (; c->n - gone > CROWD_MAX || bytes > CROWD_BYTES; gone++) {
		bytes -= connection_bytes(c->all[gone]);
		connection_drop(c->all[gone]);
	}
	c->n -= gone;
	memmove(c->all, c->all + gone, c->n * sizeof(*c->all));
}

/* Accepts until there are enough whole requests, and returns their number: the others wait in the kernel. */
static size_t
accept_all(struct crowd *c, struct connection **whole, size_t n, size_t most)
{
	for (int i = 0; i < CROWD_ACCEPTS && n < most && full_ms(c) == 0; i++) {
		int			fd = accept4(c->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		struct connection	*one;

		if (fd < 0) {
			if (n == 0 && errno != EAGAIN && errno != EINTR && errno != ECONNABORTED)
				back_off(c, errno);
			return n;
		}
		one = connection_new(fd);
		if (connection_read(one))
			whole[n++] = one;
		else
			c->all[c->n++] = one;
	}
	return n;
}

size_t
crowd_take(struct crowd *c, struct connection **whole, size_t most)
{
	struct pollfd	p[OTHERS + CROWD_MAX];
	size_t		n = 0;
	bool		stop = false;

	pthread_mutex_lock(&c->turn);
	excuse_all(c);
	while (n == 0 && !(stop && c->n == 0)) {
		await(c, p, stop);
		stop |= p[STOP].revents != 0;
		n = read_all(c, p + OTHERS, whole, most);
		if (p[BACK].revents != 0)
			take_back(c);
		if (!stop && p[LISTEN].revents != 0)
			n = accept_all(c, whole, n, most);
		drop_longest(c);
	}
	c->left = clock_ms();
	pthread_mutex_unlock(&c->turn);
	return n;
}
