/* signals: what a process that serves until it is told to stop does with them. */
#ifndef TOLLGATE_SIGNALS_H
#define TOLLGATE_SIGNALS_H

/*
 * For this thread and those it makes: all are kept waiting but those that a thread's own mistake raises. SIGPIPE
 * becomes an error of write(). Call it before any thread is made.
 */
void signals_block(void);

/* Returns the number of the SIGTERM, SIGINT or SIGUSR1 that came. */
int signals_await_stop(void);

#endif
