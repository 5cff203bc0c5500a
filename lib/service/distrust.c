#include "distrust.h"

#include <stdio.h>
#include <string.h>

/* The address without its host: a /24 of IPv4, about a /64 of IPv6. */
static void
network_write(char into[DISTRUST_NETWORK], const char *address)
{
	const char	*end = strrchr(address, '.');

	if (end == NULL) {
		end = address;
		for (int i = 0; i < 4 && *end != '\0'; i++)
			end += strcspn(end, ":") + (end[strcspn(end, ":")] == ':');
	}
	snprintf(into, DISTRUST_NETWORK, "%.*s", (int)(end - address), address);
}

/* Of this cause and network, else a free one, else the one that has been silent longest. */
static struct distrust_slot *
slot_find(struct distrust *d, int cause, const char *network)
{
	struct distrust_slot	*oldest = d->slots;

	for (size_t i = 0; i < DISTRUST_SLOTS; i++) {
		struct distrust_slot	*one = &d->slots[i];

		if (one->cause == cause && strcmp(one->network, network) == 0)
			return one;
		if (one->last < oldest->last)
			oldest = one;
	}
	*oldest = (struct distrust_slot){ .cause = cause };
	snprintf(oldest->network, sizeof(oldest->network), "%s", network);
	return oldest;
}

bool
distrust_note(struct distrust *d, int cause, const char *address, int64_t now)
{
	char			network[DISTRUST_NETWORK];
	struct distrust_slot	*slot;
	bool			due;

	network_write(network, address);
	pthread_mutex_lock(&d->lock);
	slot = slot_find(d, cause, network);
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
