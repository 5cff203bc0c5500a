/*
 * scarce: with LD_PRELOAD, makes a chosen call of a program or its libraries fail. The file that SCARCE names holds a
 * counter for each kind; the test shares it. A counter of n > 0 counts down with each call, and the n-th fails; -1: all
 * fail; 0: none. CLOCK is no counter, but the seconds that the wall clock is ahead, and MONOTONIC those of the clock
 * that deadlines go by.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <dlfcn.h>
#include <unistd.h>

enum { MEMORY, RANDOM, THREADS, SCRATCH, RELATIONS, WAL, CLOCK, MONOTONIC, KINDS };

static atomic_long	*counters;

__attribute__((constructor)) static void
counters_map(void)
{
	const char	*path = getenv("SCARCE");
	int		fd = path != NULL ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void		*at;

	if (fd < 0)
		return;
	at = mmap(NULL, KINDS * sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	counters = at != MAP_FAILED ? at : NULL;
}

static bool
fails(int kind)
{
	long	left = counters != NULL ? atomic_load(&counters[kind]) : 0;

	while (left > 0 && !atomic_compare_exchange_weak(&counters[kind], &left, left - 1))
		;
	return left == 1 || left < 0;
}

/* What is below malloc() and its sisters, which lib/base/mem.c replaces. */
static void *
real(const char *name)
{
	return dlsym(RTLD_NEXT, name);
}

void *
__libc_malloc(size_t n)
{
	static void	*(*make)(size_t);

	make = make != NULL ? make : (void *(*)(size_t))real("__libc_malloc");
	return fails(MEMORY) ? NULL : make(n);
}

void *
__libc_calloc(size_t n, size_t size)
{
	static void	*(*make)(size_t, size_t);

	make = make != NULL ? make : (void *(*)(size_t, size_t))real("__libc_calloc");
	return fails(MEMORY) ? NULL : make(n, size);
}

void *
__libc_realloc(void *p, size_t n)
{
	static void	*(*make)(void *, size_t);

	make = make != NULL ? make : (void *(*)(void *, size_t))real("__libc_realloc");
	return fails(MEMORY) ? NULL : make(p, n);
}

ssize_t
getrandom(void *bytes, size_t n, unsigned flags)
{
	if (fails(RANDOM)) {
		errno = ENOSYS;
		return -1;
	}
	return syscall(SYS_getrandom, bytes, n, flags);
}

int
pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *arg)
{
	int	(*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *) =
	    (int (*)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *))real("pthread_create");

	return fails(THREADS) ? EAGAIN : create(thread, attributes, run, arg);
}

/* A write to the head of a request that libfcgi will read, or to a file of PostgreSQL's: WAL, or a table or index. */
static bool
disk_fails(int fd)
{
	char	link[64], path[512];
	ssize_t	n;

	if (counters == NULL || (atomic_load(&counters[SCRATCH]) == 0 && atomic_load(&counters[RELATIONS]) == 0 &&
	    atomic_load(&counters[WAL]) == 0))
		return false;
	strcpy(link, "/proc/self/fd/");
	for (int digit = 100000; digit > 0; digit /= 10)
		if (fd >= digit || digit == 1)
			strncat(link, (char[]){ (char)('0' + fd / digit % 10), '\0' }, 1);
	n = readlink(link, path, sizeof(path) - 1);
	path[n > 0 ? n : 0] = '\0';
	if (strstr(path, "/pg_wal/") != NULL)
		return fails(WAL);
	if (strncmp(path, "/memfd:", 7) == 0)
		return fails(SCRATCH);
	return strstr(path, "/base/") != NULL && fails(RELATIONS);
}

ssize_t
pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (disk_fails(fd)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwrite64, fd, bytes, n, at);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t n, off_t at)
{
	return pwrite(fd, bytes, n, at);
}

ssize_t
pwritev(int fd, const struct iovec *parts, int n, off_t at)
{
	if (disk_fails(fd)) {
		errno = ENOSPC;
		return -1;
	}
	return syscall(SYS_pwritev, fd, parts, n, at, 0);
}

int
clock_gettime(clockid_t clock, struct timespec *out)
{
	int	status = (int)syscall(SYS_clock_gettime, clock, out);

	if (clock == CLOCK_REALTIME && counters != NULL)
		out->tv_sec += atomic_load(&counters[CLOCK]);
	if (clock == CLOCK_MONOTONIC && counters != NULL)
		out->tv_sec += atomic_load(&counters[MONOTONIC]);
	return status;
}

time_t
time(time_t *out)
{
	struct timespec	now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (out != NULL)
		*out = now.tv_sec;
	return now.tv_sec;
}
