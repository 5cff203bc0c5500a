/* connection: one request on one accepted socket, from its first byte to the log line. */
#ifndef TOLLGATE_CONNECTION_H
#define TOLLGATE_CONNECTION_H

#include "serve.h"

struct connection;

/* Takes the accepted socket over. */
struct connection *connection_new(int fd);

/*
 * Reads what has arrived, without waiting. True once the request is whole or refused, so that it can be answered; for
 * one that lingers, once the peer has sent all it will, or too much, or for too long.
 */
bool connection_read(struct connection *c);

/* Whether it is answered already. */
bool connection_lingers(const struct connection *c);

/* What it holds in memory of what the peer has sent. */
size_t connection_bytes(const struct connection *c);

/* While connection_read() is false: the socket to poll, and the deadline in clock_ms()'s milliseconds. */
int connection_fd(const struct connection *c);
int64_t connection_deadline(const struct connection *c);

/* Extends the deadlines by ms: the time in which no thread read from the connection. */
void connection_excuse(struct connection *c, int64_t ms);

/* When it was accepted (clock_ms), later by what it was excused. */
int64_t connection_came(const struct connection *c);

void connection_close(struct connection *c);

/* Closes one that is still coming, to make room. */
void connection_drop(struct connection *c);

/* An in-memory file of the thread that answers, or -1. Made early, before descriptors run short. */
int connection_scratch(void);

/*
 * Answers n connections and closes them. The application gets all its requests in one call. *scratch is that file,
 * which is made again when it was lost. stop is readable once the server must stop. Returns the number of those that
 * linger, at the front of all: their peers still send, and a socket that is closed before all is read is reset, so that
 * the peer may lose the answer.
 */
size_t connection_answer(struct connection **all, size_t n, int *scratch, int stop, const struct serve_calls *calls);

#endif
