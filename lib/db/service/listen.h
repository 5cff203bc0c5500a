/* listen: waits for notifications. Any role may send one, so it is only a hint to look, and its payload is not read. */
#ifndef TOLLGATE_LISTEN_H
#define TOLLGATE_LISTEN_H

#include "db.h"

/* The SQL is a literal of ours: db_listen(db, "channel", ...). */
#define db_listen(db, channel, stop_fd, told, arg) db_listen_on((db), "listen " channel, (stop_fd), (told), (arg))

/*
 * Occupies one connection of the pool. Calls told(arg) when it begins to listen, because earlier notifications are
 * lost, and then once for each batch of notifications. OK: stop_fd became readable, or the connection was lost.
 * ERR_UNAVAILABLE: no connection.
 */
enum err db_listen_on(struct db *db, const char *sql, int stop_fd, void (*told)(void *arg), void *arg) MUST_CHECK;

#endif
