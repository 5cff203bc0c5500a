/* listen: waits for notifications. They are a hint to look, and what they say is not read: anybody may send them. */
#ifndef TOLLGATE_LISTEN_H
#define TOLLGATE_LISTEN_H

#include "db.h"

/* The SQL is a literal of ours: db_listen(db, "channel", ...). */
#define db_listen(db, channel, stop_fd, told, arg) db_listen_on((db), "listen " channel, (stop_fd), (told), (arg))

/*
 * Keeps one of the pool's connections, and calls told(arg) once it listens (what was said before, nobody heard) and each
 * time something came in, however much. OK: stop_fd became readable, or the connection was lost. ERR_UNAVAILABLE: there
 * was none to be had.
 */
enum err db_listen_on(struct db *db, const char *sql, int stop_fd, void (*told)(void *arg), void *arg) MUST_CHECK;

#endif
