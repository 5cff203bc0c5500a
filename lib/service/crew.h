/*
 * crew: threads that do one piece of work after another until told to stop (signals.h). An idle one looks now and
 * then, and when it is woken; one that cannot reach the database waits 0.1 s, doubled up to 5 s, and the outage is logged
 * once.
 */
#ifndef TOLLGATE_CREW_H
#define TOLLGATE_CREW_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct crew;

/*
 * One piece, on memory of its own. *found (false before): there was work, so ask again at once. An error says that the
 * database could not be asked.
 */
typedef enum err crew_piece(void *arg, mem_ctx *mem, bool *found);

/* Blocks the signals, so call it before any thread is made. Hangs on ctx. */
struct crew *crew_new(mem_ctx *ctx);

/* n threads that do this work, and look for it every idle_ms; more often for 0.3 s after some was found or may be. */
void crew_add(struct crew *c, unsigned n, crew_piece *piece, void *arg, int idle_ms);

/* There may be work for this piece: its threads look soon. From any thread, however often. */
void crew_wake(struct crew *c, crew_piece *piece);

/* Waits; false as soon as the crew is to stop. For pieces that wait themselves. */
bool crew_pause(struct crew *c, int ms);

/* Readable as soon as the crew is to stop. */
int crew_stop_fd(const struct crew *c);

/* Starts the threads and returns when a signal has come. They are told, and finish the piece they are at. */
void crew_work(struct crew *c);

/* Whether all threads have ended, after ms at most. */
bool crew_has_ended(struct crew *c, int ms);

#endif
