/* address: whether an IP address is one of the public internet. Pure. */
#ifndef TOLLGATE_ADDRESS_H
#define TOLLGATE_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

/*
 * False for this machine, private and link-local networks, ranges reserved for tests and documentation, multicast, and
 * any family but IPv4 and IPv6. An IPv6 address that stands for an IPv4 one (mapped, NAT64, 6to4) is as public as that.
 */
bool address_is_public(const struct sockaddr *address);

#endif
