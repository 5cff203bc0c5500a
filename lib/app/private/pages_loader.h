/* pages_loader: what reading pages has to do with, and how its faults are told. Only for pages_*.c. */
#ifndef TOLLGATE_PAGES_LOADER_H
#define TOLLGATE_PAGES_LOADER_H

#include "pages.h"

struct lines {
	const char	**items;
	size_t		n;
};

struct loader {
	mem_ctx			*ctx;
	const struct config	*config;
	struct lines		said, unread;	/* faults, and files that cannot be read: each is told once */
};

void line_add(mem_ctx *ctx, struct lines *list, const char *line);

/* Prints "FILE:LINE: REASON", or without a line for 0, unless it was printed before. ERR_INVALID. */
enum err page_fault(struct loader *l, const char *file, unsigned line, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

/* The operator's own file, or NULL. One that cannot be looked at counts: reading it fails and tells the reason. */
const char *page_own(mem_ctx *ctx, const struct config *config, const char *file);

/* As file_read(), but a file that cannot be read is told the first time only. */
enum err page_read(struct loader *l, const char *path, size_t max, char **text, size_t *n) MUST_CHECK;

/* Reads a file of JSON texts: *doc, and *text as it stands there. */
enum err catalogue_read(struct loader *l, const char *path, struct json_object **doc, const char **text) MUST_CHECK;

/* The line on which the text of that name stands, the last if it is there twice; 0: it is written in another way. */
unsigned catalogue_line(mem_ctx *ctx, const char *text, const char *name);

/* Prints what no program reads of the operator's own files. */
void pages_own_check(struct loader *l, const char *const *folders);

#endif
