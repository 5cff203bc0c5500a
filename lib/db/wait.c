#include "wait.h"

#include <errno.h>
#include <poll.h>

#include "deadline.h"

bool
wait_ready(PGconn *pg, short events, int64_t deadline)
{
	struct pollfd	p = { PQsocket(pg), events, 0 };
	int		left, n = -1;

	if (p.fd < 0)
		return true;
	while (n < 0 && (left = deadline_left(deadline)) > 0) {
		n = poll(&p, 1, left);
		if (n < 0 && errno != EINTR)
			return true;
	}
	return n > 0;
}
