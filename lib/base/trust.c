#include "trust.h"

#include <openssl/ssl.h>
#include <pthread.h>
#include <string.h>

#include "clock.h"

enum { KEPT_MS = 24 * 60 * 60 * 1000 };

struct trust {
	pthread_mutex_t	lock;
	const char	*file;
	X509_STORE	*store;		/* NULL until it is needed */
	int64_t		read_at;
};

static void
trust_close(void *thing)
{
	struct trust	*t = thing;

	X509_STORE_free(t->store);
	pthread_mutex_destroy(&t->lock);
}

struct trust *
trust_open(mem_ctx *ctx, const char *file)
{
	struct trust	*t = talloc_zero(ctx, struct trust);

	t->file = mem_copy(t, file, strlen(file));
	pthread_mutex_init(&t->lock, NULL);
	mem_hang(t, t, trust_close);
	return t;
}

/* Connections that are open keep the former ones. */
static void
trust_read(struct trust *t)
{
	X509_STORE	*store = X509_STORE_new();

	if (X509_STORE_load_file(store, t->file) != 1) {
		X509_STORE_free(store);
		return;
	}
	/* As libcurl has them; it sets them again for each connection, which then changes nothing that others read. */
	X509_STORE_set_flags(store, X509_V_FLAG_TRUSTED_FIRST | X509_V_FLAG_PARTIAL_CHAIN);
	X509_STORE_free(t->store);
	t->store = store;
	t->read_at = clock_ms();
}

bool
trust_use(struct trust *t, void *ssl_ctx)
{
	bool	known;

	pthread_mutex_lock(&t->lock);
	if (t->store == NULL || clock_ms() - t->read_at > KEPT_MS)
		trust_read(t);
	known = t->store != NULL;
	if (known)
		SSL_CTX_set1_cert_store(ssl_ctx, t->store);
	pthread_mutex_unlock(&t->lock);
	return known;
}
