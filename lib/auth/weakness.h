/* weakness: why a password may not be set. Asked when one is chosen only, never of one that is typed to sign in. */
#ifndef TOLLGATE_WEAKNESS_H
#define TOLLGATE_WEAKNESS_H

#include "breached.h"

/*
 * The name of the text that says why, or NULL. prepared: see password_prepare(). words: NULL at the end, of the site
 * and of the user (address, name): what holds little more than these is easily guessed.
 */
const char *weakness_of(const char *prepared, const struct breached *known, const char **words);

#endif
