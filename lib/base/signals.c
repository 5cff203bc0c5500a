#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

void
signals_block(void)
{
	static const int	own[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS };
	sigset_t		set;

	sigfillset(&set);
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		sigdelset(&set, own[i]);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static sigset_t
stop_set(void)
{
	sigset_t	set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	return set;
}

int
signals_await_stop(void)
{
	sigset_t	set = stop_set();
	int		got;

	while (sigwait(&set, &got) != 0)
		;
	return got;
}

int
signals_await_stop_within(int ms)
{
	sigset_t	set = stop_set();
	struct timespec	within = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };
	int		got = sigtimedwait(&set, NULL, &within);

	return got > 0 ? got : 0;
}
