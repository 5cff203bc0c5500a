/* connection: one request on one accepted socket, from its first byte to the log line. */
#ifndef TOLLGATE_CONNECTION_H
#define TOLLGATE_CONNECTION_H

#include "serve.h"

/* Answers the request on fd, or refuses to talk, and closes fd. */
void connection_serve(int fd, const struct serve_calls *calls);

#endif
