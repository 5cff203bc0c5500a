/*
 * thread_pool: threads that run tasks again and again until a signal stops the process (signals.h). An idle thread runs
 * its task at an interval, and when it is woken. A task that fails is retried after 0.1 s, doubled up to 5 s; the
 * beginning and the end of a run of failures are logged once.
 */
#ifndef TOLLGATE_THREAD_POOL_H
#define TOLLGATE_THREAD_POOL_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct thread_pool;

/*
 * One unit of work, on memory of its own. *found is false before the call; a task that found work sets it, and is run
 * again at once. An error means that it could not look for work, as when the database is away.
 */
typedef enum err thread_pool_task(void *arg, mem_ctx *mem, bool *found);

/* Blocks the signals, so it must be called before any thread is started. Hangs on ctx. */
struct thread_pool *thread_pool_new(mem_ctx *ctx);

/* n threads that run this task every idle_ms, and more often for 0.6 s after they found work or were woken. */
void thread_pool_add(struct thread_pool *p, unsigned n, thread_pool_task *task, void *arg, int idle_ms);

/* Makes the threads of this task run it soon. From any thread, however often. */
void thread_pool_wake(struct thread_pool *p, thread_pool_task *task);

/* Sleeps for ms; false as soon as the pool must stop. For a task that waits inside its run. */
bool thread_pool_pause(struct thread_pool *p, int ms);

/* A descriptor that is readable as soon as the pool must stop. */
int thread_pool_stop_fd(const struct thread_pool *p);

/* Starts the threads, and returns when a signal has come. Each thread then ends after its current run. */
void thread_pool_run(struct thread_pool *p);

/* Whether all threads have ended, after ms at most. */
bool thread_pool_has_ended(struct thread_pool *p, int ms);

#endif
