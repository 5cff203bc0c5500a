#include "distrust.h"

#include <arpa/inet.h>
#include <string.h>

/* The /64 of an IPv6 address, the /24 of an IPv4 one, mapped. All that is no address is one network. */
static struct in6_addr
network_of(const char *address)
{
	struct in6_addr	network = { .s6_addr = { [10] = 0xff, [11] = 0xff } };
	size_t		host;

	if (inet_pton(AF_INET, address, &network.s6_addr[12]) != 1 && inet_pton(AF_INET6, address, &network) != 1)
		return (struct in6_addr){ 0 };
	host = IN6_IS_ADDR_V4MAPPED(&network) ? 15 : 8;
	memset(&network.s6_addr[host], 0, sizeof(network) - host);
	return network;
}

/* Of this cause and network, else a free one, else the one that has been silent longest. */
static struct distrust_slot *
slot_find(struct distrust *d, int cause, const struct in6_addr *network)
{
	struct distrust_slot	*oldest = d->slots;

	for (size_t i = 0; i < DISTRUST_SLOTS; i++) {
		struct distrust_slot	*one = &d->slots[i];

		if (one->times > 0 && one->cause == cause && IN6_ARE_ADDR_EQUAL(&one->network, network))
			return one;
		if (one->last < oldest->last)
			oldest = one;
	}
	*oldest = (struct distrust_slot){ .cause = cause, .network = *network };
	return oldest;
}

bool
distrust_note(struct distrust *d, int cause, const char *address, int64_t now)
{
	struct in6_addr		network = network_of(address);
	struct distrust_slot	*slot;
	bool			due;

	pthread_mutex_lock(&d->lock);
	slot = slot_find(d, cause, &network);
	slot->first = slot->times == 0 ? now : slot->first;
	slot->last = now;
	slot->times++;
	due = slot->times >= DISTRUST_TIMES && now - slot->first >= DISTRUST_OVER_MS &&
	    (d->told == 0 || now - d->told >= DISTRUST_AGAIN_MS);
	if (due) {
		d->told = now;
		d->open = true;
	}
	pthread_mutex_unlock(&d->lock);
	return due;
}

void
distrust_again(struct distrust *d)
{
	pthread_mutex_lock(&d->lock);
	d->open = true;
	d->told = 0;
	pthread_mutex_unlock(&d->lock);
}

bool
distrust_end(struct distrust *d)
{
	bool	was;

	pthread_mutex_lock(&d->lock);
	was = d->open;
	d->open = false;
	d->told = 0;
	memset(d->slots, 0, sizeof(d->slots));
	pthread_mutex_unlock(&d->lock);
	return was;
}
