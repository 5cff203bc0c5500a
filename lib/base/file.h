/* file: small files read whole, and directories as sorted lists. The reason of a failure is printed on stderr. */
#ifndef TOLLGATE_FILE_H
#define TOLLGATE_FILE_H

#include <stddef.h>

#include "err.h"
#include "mem.h"

/* *out has *n bytes and a NUL after them. ERR_NOT_FOUND: cannot be read, or is larger than max. */
enum err file_read(mem_ctx *ctx, const char *path, size_t max, char **out, size_t *n) MUST_CHECK;

struct file_list {
	const char	**names;	/* with the suffix, relative to the directory; in the order of strcmp() */
	size_t		n;
};

/* The names in dir that end with suffix (".sql") and do not start with '.'. ERR_NOT_FOUND: dir cannot be opened. */
enum err file_list(mem_ctx *ctx, const char *dir, const char *suffix, struct file_list *out) MUST_CHECK;

/* As file_list(), with the files in subdirectories: "auth/users.sql". */
enum err file_tree(mem_ctx *ctx, const char *dir, const char *suffix, struct file_list *out) MUST_CHECK;

#endif
