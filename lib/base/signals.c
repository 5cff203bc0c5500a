#include "signals.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>

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

int
signals_await_stop(void)
{
	sigset_t	set;
	int		got;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	while (sigwait(&set, &got) != 0)
		;
	return got;
}
