#include "address.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct range {
	uint8_t	prefix[12];
	int	bits;
};

/* IANA's registry of special-purpose addresses, without those that are globally reachable; multicast; the former E. */
static const struct range special_v4[] = {
	{ { 0 }, 8 }, { { 10 }, 8 }, { { 100, 64 }, 10 }, { { 127 }, 8 }, { { 169, 254 }, 16 }, { { 172, 16 }, 12 },
	{ { 192, 0, 0 }, 24 }, { { 192, 0, 2 }, 24 }, { { 192, 168 }, 16 }, { { 198, 18 }, 15 }, { { 198, 51, 100 }, 24 },
	{ { 203, 0, 113 }, 24 }, { { 224 }, 4 }, { { 240 }, 4 },
};

/* The part of IPv6 that is given out, and what is special within it. */
static const struct range	global_v6 = { { 0x20 }, 3 };
static const struct range	special_v6[] = {
	{ { 0x20, 0x01, 0x00 }, 23 }, { { 0x20, 0x01, 0x0d, 0xb8 }, 32 }, { { 0x3f, 0xff, 0x00 }, 20 },
};

/* IPv6 that holds an IPv4 address, and at which byte. */
static const struct {
	struct range	range;
	int		at;
} embedding[] = {
	{ { { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 96 }, 12 },
	{ { { 0x00, 0x64, 0xff, 0x9b }, 96 }, 12 },
	{ { { 0x20, 0x02 }, 16 }, 2 },
};

#define N(array) (sizeof(array) / sizeof(array[0]))

static bool
range_holds(const struct range *r, const uint8_t *ip)
{
	int	whole = r->bits / 8, rest = r->bits % 8;

	return memcmp(r->prefix, ip, (size_t)whole) == 0 &&
	    (rest == 0 || ((r->prefix[whole] ^ ip[whole]) >> (8 - rest)) == 0);
}

static bool
any_holds(const struct range *ranges, size_t n, const uint8_t *ip)
{
	for (size_t i = 0; i < n; i++) {
		if (range_holds(&ranges[i], ip))
			return true;
	}
	return false;
}

static bool
is_public_v6(const uint8_t *ip)
{
	for (size_t i = 0; i < N(embedding); i++) {
		if (range_holds(&embedding[i].range, ip))
			return !any_holds(special_v4, N(special_v4), ip + embedding[i].at);
	}
	return range_holds(&global_v6, ip) && !any_holds(special_v6, N(special_v6), ip);
}

bool
address_is_public(const struct sockaddr *address)
{
	const void	*ip;

	switch (address->sa_family) {
	case AF_INET:
		ip = &((const struct sockaddr_in *)(const void *)address)->sin_addr;
		return !any_holds(special_v4, N(special_v4), ip);
	case AF_INET6:
		ip = &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
		return is_public_v6(ip);
	default:
		return false;
	}
}
