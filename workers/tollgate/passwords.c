/* passwords: makes the list of passwords that are refused (lib/auth/breached.h). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

#include "breached.h"
#include "commands.h"
#include "progress.h"

enum { HASH_DIGITS = 40, STEP = 65536 };

static const char	comment[] = "#!comment";	/* how lines of john's list begin that are none */

struct build {
	const struct operator	*o;
	FILE			*from, *to;
	char			*fresh;		/* the file that is being written, which gets its name at the end */
	uint8_t			last[BREACHED_SIZE];
	bool			sorted;
	long			n;
};

static int
digit(char c)
{
	const char	*digits = "0123456789ABCDEF", *found = memchr(digits, c >= 'a' && c <= 'f' ? c - ('a' - 'A') : c, 16);

	return found == NULL ? -1 : (int)(found - digits);
}

/* "SHA1" or "SHA1:count", as Pwned Passwords has it; false for a bare password. */
static bool
record_from_hash(const char *line, size_t n, uint8_t out[BREACHED_SIZE])
{
	if (n < HASH_DIGITS || (n > HASH_DIGITS && line[HASH_DIGITS] != ':'))
		return false;
	for (int i = 0; i < HASH_DIGITS; i++) {
		if (digit(line[i]) < 0)
			return false;
	}
	for (int i = 0; i < BREACHED_SIZE; i++)
		out[i] = (uint8_t)(digit(line[2 * i]) << 4 | digit(line[2 * i + 1]));
	return true;
}

static enum err
line_add(struct build *b, const char *line, size_t n)
{
	uint8_t	record[BREACHED_SIZE];
	int	order;

	while (n > 0 && (line[n - 1] == '\n' || line[n - 1] == '\r'))
		n--;
	if (n == 0 || strncmp(line, comment, strlen(comment)) == 0)
		return OK;
	if (!record_from_hash(line, n, record))
		breached_record(line, n, record);
	order = b->n == 0 ? 1 : memcmp(record, b->last, BREACHED_SIZE);
	if (order == 0)
		return OK;
	b->sorted = b->sorted && order > 0;
	memcpy(b->last, record, BREACHED_SIZE);
	b->n++;
	return fwrite(record, BREACHED_SIZE, 1, b->to) == 1 ? OK : ERR_INVALID;
}

static enum err
lines_read(struct build *b)
{
	struct progress	p;
	char		*line = NULL;
	size_t		room = 0;
	ssize_t		n;
	enum err	e = fwrite(BREACHED_MAGIC, BREACHED_SIZE, 1, b->to) == 1 ? OK : ERR_INVALID;

	progress_begin(&p, "passwords", 0);
	for (long done = 1; e == OK && (n = getline(&line, &room, b->from)) != -1; done++) {
		e = line_add(b, line, (size_t)n);
		if (done % STEP == 0)
			progress_step(&p, done, NULL);
	}
	free(line);
	if (e == OK && !ferror(b->from))
		progress_end(&p, b->n);
	return ferror(b->from) || fflush(b->to) != 0 ? ERR_INVALID : e;
}

static int
record_compare(const void *a, const void *b)
{
	return memcmp(a, b, BREACHED_SIZE);
}

/* Sorts the records in the file, which the system pages out as it must, and leaves each once. */
static enum err
records_sort(struct build *b)
{
	size_t	bytes = (size_t)(b->n + 1) * BREACHED_SIZE, kept = 1;
	uint8_t	*all = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fileno(b->to), 0), *records;

	if (all == MAP_FAILED)
		return ERR_INVALID;
	records = all + BREACHED_SIZE;
	qsort(records, (size_t)b->n, BREACHED_SIZE, record_compare);
	for (long i = 1; i < b->n; i++) {
		if (memcmp(records + i * BREACHED_SIZE, records + (kept - 1) * BREACHED_SIZE, BREACHED_SIZE) != 0)
			memcpy(records + kept++ * BREACHED_SIZE, records + i * BREACHED_SIZE, BREACHED_SIZE);
	}
	munmap(all, bytes);
	b->n = (long)kept;
	return ftruncate(fileno(b->to), (off_t)((kept + 1) * BREACHED_SIZE)) == 0 ? OK : ERR_INVALID;
}

/* Every program reads it, whatever the umask. */
static enum err
file_finish(struct build *b)
{
	if (fchmod(fileno(b->to), 0644) != 0 || fsync(fileno(b->to)) != 0)
		return ERR_INVALID;
	return rename(b->fresh, b->o->out) == 0 ? OK : ERR_INVALID;
}

static enum err
list_write(struct build *b)
{
	TRY(lines_read(b));
	if (b->n == 0) {
		errno = ENODATA;
		return ERR_INVALID;
	}
	if (!b->sorted)
		TRY(records_sort(b));
	return file_finish(b);
}

int
passwords_build(const struct operator *o)
{
	struct build	b = { .o = o, .sorted = true };
	enum err	e;

	if (o->out == NULL)
		return operator_refused(o, "--out FILE is missing: where the list is written");
	b.from = strcmp(o->subject, "-") == 0 ? stdin : fopen(o->subject, "re");
	if (b.from == NULL)
		return operator_refused(o, "%s: %s", o->subject, strerror(errno));
	b.fresh = mem_printf(o->mem, "%s.new", o->out);
	b.to = fopen(b.fresh, "w+e");
	e = b.to == NULL ? ERR_INVALID : list_write(&b);
	if (e != OK) {
		(void)operator_refused(o, "%s: %s", o->out, strerror(errno));
		unlink(b.fresh);
		return EX_CANTCREAT;
	}
	printf("%ld passwords\n", b.n);
	return fclose(b.to) == 0 ? EX_OK : EX_CANTCREAT;
}
