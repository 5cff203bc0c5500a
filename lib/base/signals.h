/* signals: blocks them in all threads of a server, and waits for the ones that stop it. */
#ifndef TOLLGATE_SIGNALS_H
#define TOLLGATE_SIGNALS_H

/*
 * Blocks all signals in this thread and the threads it creates, except those that a fault of the thread itself raises
 * (SIGSEGV and the like). SIGPIPE is ignored: write() fails instead. Call it before creating a thread.
 */
void signals_block(void);

/* Waits for SIGTERM, SIGINT or SIGUSR1 and returns its number. */
int signals_await_stop(void);

/* The same within ms; 0 when none came. */
int signals_await_stop_within(int ms);

#endif
