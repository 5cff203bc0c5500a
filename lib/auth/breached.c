#include "breached.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

struct mapping {
	void	*start;
	size_t	n;
};

static void
mapping_end(void *thing)
{
	struct mapping	*m = thing;

	munmap(m->start, m->n);
}

static bool
is_list(const struct mapping *m)
{
	return m->n >= BREACHED_SIZE && m->n % BREACHED_SIZE == 0 && memcmp(m->start, BREACHED_MAGIC, BREACHED_SIZE) == 0;
}

static enum err
list_refused(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return ERR_INVALID;
}

enum err
breached_open(mem_ctx *ctx, const char *path, struct breached *out)
{
	struct mapping	*m = talloc_zero(ctx, struct mapping);
	struct stat	st;
	int		fd;

	*out = (struct breached){ NULL, 0 };
	if (*path == '\0')
		return OK;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) != 0)
		return list_refused(path, strerror(errno));
	m->n = (size_t)st.st_size;
	m->start = mmap(NULL, m->n, PROT_READ, MAP_SHARED, fd, 0);
	close(fd);
	if (m->start == MAP_FAILED)
		return list_refused(path, "is not a list that `tollgate passwords build` made");
	mem_hang(ctx, m, mapping_end);
	if (!is_list(m))
		return list_refused(path, "is not a list that `tollgate passwords build` made");
	*out = (struct breached){ (const uint8_t *)m->start + BREACHED_SIZE, m->n / BREACHED_SIZE - 1 };
	return OK;
}

void
breached_record(const char *password, size_t n, uint8_t out[BREACHED_SIZE])
{
	unsigned char	digest[SHA_DIGEST_LENGTH] = { 0 };

	(void)!EVP_Digest(password, n, digest, NULL, EVP_sha1(), NULL);
	memcpy(out, digest, BREACHED_SIZE);
}

bool
breached_has(const struct breached *b, const char *password)
{
	uint8_t	wanted[BREACHED_SIZE];
	size_t	low = 0, high = b->n;

	breached_record(password, strlen(password), wanted);
	while (low < high) {
		size_t	middle = low + (high - low) / 2;
		int	order = memcmp(b->records + middle * BREACHED_SIZE, wanted, BREACHED_SIZE);

		if (order == 0)
			return true;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
