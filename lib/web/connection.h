/* connection: one request on one accepted socket, from its first byte to the log line. */
#ifndef TOLLGATE_CONNECTION_H
#define TOLLGATE_CONNECTION_H

#include "serve.h"

struct connection;

/* Takes the accepted socket over. *scratch: an in-memory file of this thread, used by all its connections. */
struct connection *connection_new(int fd, int *scratch);

/* Creates that file, or returns -1. Called early, before descriptors run short; a connection recreates a lost file. */
int connection_scratch(void);

/* Reads what has arrived, without waiting. True once the request is whole or refused, so that it can be answered. */
bool connection_read(struct connection *c);

/* While connection_read() is false: the socket to poll, and the deadline in clock_ms()'s milliseconds. */
int connection_fd(const struct connection *c);
int64_t connection_deadline(const struct connection *c);

/* Extends the deadlines by ms, the time this thread spent on other connections. */
void connection_excuse(struct connection *c, int64_t ms);

/* Answers, closes and frees n connections. The application gets all its requests in one call. */
void connection_answer(struct connection **all, size_t n, const struct serve_calls *calls);

#endif
