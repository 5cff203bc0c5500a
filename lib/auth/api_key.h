/* api_key: the key that a program of a tenant sends, and the digest of it that the database sees. */
#ifndef TOLLGATE_API_KEY_H
#define TOLLGATE_API_KEY_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"
#include "secret.h"

#define API_KEY_PREFIX "tg_"	/* so that whoever finds one knows what it is */

enum { API_KEY_HINT = 4 };	/* its last characters, by which an owner tells keys apart */

/* A new key as its owner is shown it, once, and what the database stores of it, SHA-256(D) (see api_key_bearer()). */
enum err api_key_new(mem_ctx *mem, char **key, struct secret *stored) MUST_CHECK;

/* What the database sees: hex of D = SHA-256("key1" || K). NULL: key is NULL or not formed as one. */
char *api_key_bearer(mem_ctx *mem, const char *key);

#endif
