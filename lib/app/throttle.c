#include "throttle.h"

#include <arpa/inet.h>
#include <string.h>

#include "log.h"

enum { BYTES4 = 3, BYTES6 = 7, BITS = 8 };

/* "203.0.113.0/24"; "unknown" for what is no IP address. */
static const char *
network_of(mem_ctx *mem, const char *address)
{
	unsigned char	bytes[sizeof(struct in6_addr)];
	char		text[INET6_ADDRSTRLEN];
	int		family = address && strchr(address, ':') ? AF_INET6 : AF_INET;
	size_t		n = family == AF_INET ? BYTES4 : BYTES6;

	if (address == NULL || inet_pton(family, address, bytes) != 1)
		return "unknown";
	memset(bytes + n, 0, sizeof(bytes) - n);
	return mem_printf(mem, "%s/%zu", inet_ntop(family, bytes, text, sizeof(text)), n * BITS);
}

enum err
throttle_note(struct visit *v, const char *what, enum err e)
{
	if (e == ERR_LIMIT)
		log_line(LOG_WARN, "throttled", LOG_TEXT("what", what),
		    LOG_TEXT("network", network_of(v->q->mem, v->q->remote_addr)));
	return e;
}
