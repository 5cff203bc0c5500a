/* throttle: a request that the allowance of its network refuses, for the log. */
#ifndef TOLLGATE_THROTTLE_H
#define TOLLGATE_THROTTLE_H

#include "visit.h"

/*
 * Logs who is refused what ("link", "draft", "call", as the keys of the section limits begin), by the network around
 * the client (/24 of IPv4, /56 of IPv6). Returns e; does nothing unless it is ERR_LIMIT.
 */
enum err throttle_note(struct visit *v, const char *what, enum err e) MUST_CHECK;

#endif
