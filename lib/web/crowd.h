/*
 * crowd: the connections whose requests are still coming, and those that are answered while the peer still sends. One
 * thread at a time has the turn: it reads from all of them, takes the whole requests, and gives the turn on before it
 * answers. So a slow peer costs a descriptor and no thread.
 */
#ifndef TOLLGATE_CROWD_H
#define TOLLGATE_CROWD_H

#include <pthread.h>

#include "connection.h"

/* Beyond either limit the connections that have come longest are closed. */
enum { CROWD_MAX = 256, CROWD_BYTES = 64 << 20, CROWD_ACCEPTS = 64 };

struct crowd {
	int			listen_fd;
	int			stop;		/* an eventfd, readable once the server must stop */
	int			back[2];	/* a pipe of pointers to connections, which wakes the thread with the turn */
	pthread_mutex_t		turn;		/* for all that follows */
	struct connection	*all[2 * CROWD_MAX];	/* in the order of their coming; more than the limit for a moment */
	size_t			n;
	int64_t			left;		/* when a thread last gave the turn on */
	int64_t			complained;	/* when a failed accept was last logged */
};

/* False: no descriptor is left. */
bool crowd_open(struct crowd *c, int listen_fd, int stop);
void crowd_close(struct crowd *c);

/* Gives back a connection that connection_answer() has left open. */
void crowd_return(struct crowd *c, struct connection *one);

/*
 * Waits for the turn, and then for whole or refused requests. Returns their number, at most `most`; 0 once the server
 * must stop and none is coming any more.
 */
size_t crowd_take(struct crowd *c, struct connection **whole, size_t most);

#endif
