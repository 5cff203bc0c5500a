/* text: UTF-8, e-mail addresses and UUIDs: pure predicates and copies. */
#ifndef TOLLGATE_TEXT_H
#define TOLLGATE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "mem.h"

/* Well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. */
bool text_is_utf8(const char *s, size_t n);

/* No byte below 0x20 and no 0x7f. */
bool text_is_printable(const char *s, size_t n);

/* No character of UTF-8 text but white space, by Unicode's White_Space: "" too. */
bool text_is_blank(const char *s);

/*
 * An address that mail is sent to: at most 254 bytes, local part of RFC 5321 dot-atoms (at most 64 bytes, no quotes), a
 * domain of two or more labels of letters, digits and hyphens. ASCII only (an IDN is given in its xn-- form).
 */
bool text_is_email(const char *s);

/* Eight, four, four, four and twelve hexadecimal digits with hyphens between. */
bool text_is_uuid(const char *s, size_t n);

/* One form for each mailbox: ASCII lower case, surrounding white space cut. UNIQUE in the database. */
char *text_email_canonical(mem_ctx *ctx, const char *s);

/* Surrounding ASCII white space cut. */
char *text_trim(mem_ctx *ctx, const char *s);

/* A copy of n bytes with '?' for every byte that is not ASCII. */
char *text_ascii(mem_ctx *ctx, const char *s, size_t n);

#endif
