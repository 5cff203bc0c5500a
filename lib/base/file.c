#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static enum err
file_fault(const char *path, const char *why)
{
	fprintf(stderr, "%s: %s\n", path, why);
	return ERR_NOT_FOUND;
}

enum err
file_read(mem_ctx *ctx, const char *path, size_t max, char **out, size_t *n)
{
	FILE		*f = fopen(path, "re");
	const char	*why = NULL;

	if (f == NULL)
		return file_fault(path, strerror(errno));
	*out = talloc_size(ctx, max + 2);
	*n = fread(*out, 1, max + 1, f);
	if (ferror(f))
		why = strerror(errno);
	else if (*n > max)
		why = "is too large";
	fclose(f);
	(*out)[why ? 0 : *n] = '\0';
	return why ? file_fault(path, why) : OK;
}

static int
name_compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool
ends_with(const char *s, const char *suffix)
{
	size_t	n = strlen(s), m = strlen(suffix);

	return n > m && strcmp(s + n - m, suffix) == 0;
}

enum err
file_list(mem_ctx *ctx, const char *dir, const char *suffix, struct file_list *out)
{
	DIR		*d = opendir(dir);
	struct dirent	*e;

	*out = (struct file_list){ NULL, 0 };
	if (d == NULL)
		return file_fault(dir, strerror(errno));
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || !ends_with(e->d_name, suffix))
			continue;
		out->names = talloc_realloc(ctx, out->names, const char *, out->n + 1);
		out->names[out->n++] = mem_printf(ctx, "%s", e->d_name);
	}
	closedir(d);
	if (out->n)
		qsort(out->names, out->n, sizeof(*out->names), name_compare);
	return OK;
}
