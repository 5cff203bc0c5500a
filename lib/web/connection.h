/* connection: one request on one accepted socket, from its first byte to the log line. */
#ifndef TOLLGATE_CONNECTION_H
#define TOLLGATE_CONNECTION_H

#include "serve.h"

struct connection;

/* Takes the accepted socket over. *scratch, a file in memory, is one thread's for all its connections. */
struct connection *connection_new(int fd, int *scratch);

/* That file, had before descriptors run short; -1 when there is none. It is made again if it was lost. */
int connection_scratch(void);

/* Reads what has come, without waiting. True once there is a request to answer, or nothing more to wait for. */
bool connection_read(struct connection *c);

/* What poll() should wait for while there is neither: the socket, and until when. */
int connection_fd(const struct connection *c);
int64_t connection_deadline(const struct connection *c);

/* For so many milliseconds nobody has looked at it: they are not held against it. */
void connection_excuse(struct connection *c, int64_t ms);

/* Answers all of them, those that are requests of the application's together, and closes and frees them. */
void connection_answer(struct connection **all, size_t n, const struct serve_calls *calls);

#endif
