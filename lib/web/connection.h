/* connection: one request on one accepted socket, from its first byte to the log line. */
#ifndef TOLLGATE_CONNECTION_H
#define TOLLGATE_CONNECTION_H

#include "serve.h"

/* A file in memory for one thread's connections, had before descriptors run short; -1 when there is none. */
int connection_scratch(void);

/* Answers the request on fd, or refuses to talk, and closes fd. *scratch is made again if it was lost. */
void connection_serve(int fd, int *scratch, const struct serve_calls *calls);

#endif
