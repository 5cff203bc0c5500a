/* wait: until a connection's socket is ready, under a deadline. */
#ifndef TOLLGATE_WAIT_H
#define TOLLGATE_WAIT_H

#include <libpq-fe.h>
#include <stdbool.h>
#include <stdint.h>

/* events: as for poll(). False at the deadline. A closed socket counts as ready: reading from it reports the reason. */
bool wait_ready(PGconn *pg, short events, int64_t deadline);

#endif
