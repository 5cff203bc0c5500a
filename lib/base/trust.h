/*
 * trust: the certificate authorities that TLS connections trust, read once for all of them. By itself libcurl reads the
 * machine's file anew for each connection, which takes 25 ms of a processor, and a megabyte for as long as it is open.
 */
#ifndef TOLLGATE_TRUST_H
#define TOLLGATE_TRUST_H

#include <stdbool.h>

#include "err.h"
#include "mem.h"

struct trust;

/* Of a file of certificates (PEM), which is read when it is first needed. Hangs on ctx; used by all threads. */
struct trust *trust_open(mem_ctx *ctx, const char *file);

/*
 * Has OpenSSL's SSL_CTX trust these, and no others. A file that was read a day ago is read again: the machine may have
 * newer ones. False: it cannot be read, and never was.
 */
bool trust_use(struct trust *t, void *ssl_ctx) MUST_CHECK;

#endif
