/*
 * challenge: what a passkey signs. It is made of the browser's cookie and the time, so that showing a page stores
 * nothing. Each is used once: the database keeps the digests of those that were.
 */
#ifndef TOLLGATE_CHALLENGE_H
#define TOLLGATE_CHALLENGE_H

#include <stdbool.h>
#include <stdint.h>

#include "mem.h"
#include "secret.h"

enum { CHALLENGE_SECONDS = 600 };

/* Microseconds of the wall clock, so that two pages have two challenges. Both times below are of its kind. */
int64_t challenge_now(void);

/* base64url of the time and HMAC-SHA-256(key, "webauthn1" || time). key: of a session or a flow. */
char *challenge_make(mem_ctx *mem, const struct secret *key, int64_t now);

/* Whether it was made with this key, CHALLENGE_SECONDS ago at most; or a minute ahead, by another machine's clock. */
bool challenge_is_good(const struct secret *key, const char *challenge, int64_t now);

/* What the database keeps of one that was used. */
struct secret challenge_digest(const char *challenge);

#endif
