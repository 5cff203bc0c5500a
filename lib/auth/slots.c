#include "slots.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "log.h"

enum { NONE = -1, PAUSE_NS = 4 * 1000 * 1000 };

/* Seats 0 to n - 1 are the slots, those after them the places in the queue. */
static int
seat_open(const struct slots *s, int seat, int flags)
{
	char	path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/%d", s->dir, seat);
	return open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
}

static enum err
slots_refused(mem_ctx *ctx, const char *dir, const char *what, const char **why)
{
	*why = mem_printf(ctx, "%s: %s", dir, what);
	return ERR_FORBIDDEN;
}

enum err
slots_open(mem_ctx *ctx, const char *dir, int n, struct slots *out, const char **why)
{
	struct stat	st;

	*out = (struct slots){ .dir = mem_printf(ctx, "%s", dir), .n = n };
	if ((mkdir(dir, 0700) != 0 && errno != EEXIST) || lstat(dir, &st) != 0)
		return slots_refused(ctx, dir, strerror(errno), why);
	if (!S_ISDIR(st.st_mode) || st.st_uid != geteuid() || st.st_mode & (S_IWGRP | S_IWOTH))
		return slots_refused(ctx, dir, "is not a directory that this user alone writes", why);
	for (int i = 0; i < n + SLOTS_QUEUE; i++) {
		int	fd = seat_open(out, i, O_CREAT);

		if (fd < 0)
			return slots_refused(ctx, dir, strerror(errno), why);
		close(fd);
	}
	return OK;
}

/* Each taker opens the file anew: a lock belongs to what open() gave, so it excludes other threads too. */
static int
seat_take(const struct slots *s, int first, int n)
{
	for (int i = first; i < first + n; i++) {
		int	fd = seat_open(s, i, 0);

		if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
			return fd;
		if (fd >= 0)
			close(fd);
	}
	return NONE;
}

enum err
slot_take(const struct slots *slots, int *slot)
{
	int64_t	until = clock_ms() + SLOTS_WAIT_MS;
	int	queued;

	*slot = seat_take(slots, 0, slots->n);
	if (*slot != NONE)
		return OK;
	queued = seat_take(slots, slots->n, SLOTS_QUEUE);
	while (queued != NONE && *slot == NONE && clock_ms() < until) {
		nanosleep(&(struct timespec){ .tv_nsec = PAUSE_NS }, NULL);
		*slot = seat_take(slots, 0, slots->n);
	}
	if (queued != NONE)
		close(queued);
	if (*slot != NONE)
		return OK;
	log_line(LOG_WARN, "passwords_busy", LOG_INT("slots", slots->n), LOG_INT("queued", queued != NONE));
	return ERR_UNAVAILABLE;
}

void
slot_give(int slot)
{
	close(slot);
}
