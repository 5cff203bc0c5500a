/*
 * password: one form for a password however it was typed, and the key K that libargon2 stretches it to. The database
 * holds SHA-256(K) and decides: C never compares a password.
 */
#ifndef TOLLGATE_PASSWORD_H
#define TOLLGATE_PASSWORD_H

#include <stdint.h>

#include "err.h"
#include "mem.h"
#include "secret.h"
#include "slots.h"

enum {
	PASSWORD_MIN	= 8,		/* characters */
	PASSWORD_MAX	= 1024		/* bytes */
};

/* Parameters of Argon2id. */
struct password_cost {
	uint32_t	memory;		/* KiB */
	uint32_t	passes;
	uint32_t	lanes;
};

/* Of new passwords: OWASP's second choice, 20 ms of one core. */
extern const struct password_cost password_cost;

/*
 * A copy in the form that is judged and stretched: RFC 8265's OpaqueString, which makes every other space U+0020 and
 * composes (NFC), so that a password typed on another system is the same bytes. ERR_INVALID: not UTF-8, or with a
 * control character or noncharacter. The other characters that the RFC leaves out stay, because emoji have them.
 */
enum err password_prepare(mem_ctx *mem, const char *given, char **out) MUST_CHECK;

/*
 * K of a prepared password, which is wiped. Waits for one of the machine's slots. ERR_UNAVAILABLE: none came free.
 * ERR_INTERNAL: the salt or cost is not one that we store (too dear, say); then nothing was computed.
 */
enum err password_stretch(const struct slots *slots, char *prepared, const struct secret *salt,
    const struct password_cost *cost, struct secret *key) MUST_CHECK;

#endif
