#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

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

static void
list_sort(struct file_list *list)
{
	if (list->n)
		qsort(list->names, list->n, sizeof(*list->names), name_compare);
}

static bool
is_directory(DIR *d, const char *name)
{
	struct stat	st;

	return fstatat(dirfd(d), name, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode);
}

/* Adds what in dir/below ends with suffix; below is "" or ends in a slash. Subdirectories: only with deep. */
static enum err
list_add(mem_ctx *ctx, const char *dir, const char *below, const char *suffix, bool deep, struct file_list *out)
{
	const char	*path = *below ? mem_printf(ctx, "%s/%s", dir, below) : dir;
	DIR		*d = opendir(path);
	struct dirent	*e;
	enum err	fault = OK;

	if (d == NULL)
		return file_fault(path, strerror(errno));
	while (fault == OK && (e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.')
			continue;
		if (deep && is_directory(d, e->d_name)) {
			fault = list_add(ctx, dir, mem_printf(ctx, "%s%s/", below, e->d_name), suffix, deep, out);
		} else if (ends_with(e->d_name, suffix)) {
			out->names = talloc_realloc(ctx, out->names, const char *, out->n + 1);
			out->names[out->n++] = mem_printf(ctx, "%s%s", below, e->d_name);
		}
	}
	closedir(d);
	return fault;
}

enum err
file_list(mem_ctx *ctx, const char *dir, const char *suffix, struct file_list *out)
{
	*out = (struct file_list){ NULL, 0 };
	TRY(list_add(ctx, dir, "", suffix, false, out));
	list_sort(out);
	return OK;
}

enum err
file_tree(mem_ctx *ctx, const char *dir, const char *suffix, struct file_list *out)
{
	*out = (struct file_list){ NULL, 0 };
	TRY(list_add(ctx, dir, "", suffix, true, out));
	list_sort(out);
	return OK;
}
