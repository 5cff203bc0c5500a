#include "private/config_key.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SECRET_FILE_MAX = 4096 };

/* Overwrites the variable, because /proc/PID/environ shows it even after unsetenv(). */
char *
config_secret_variable(mem_ctx *ctx, const char *name)
{
	char	*value = getenv(name);
	char	*copy;

	if (value == NULL)
		return NULL;
	copy = mem_copy(ctx, value, strlen(value));
	explicit_bzero(value, strlen(value));
	unsetenv(name);
	return copy;
}

/* Mode bits in refused give access to users other than the owner. A file with any of them is not read. */
static const char *
secret_read(mem_ctx *ctx, int fd, mode_t refused, const char **out)
{
	char		bytes[SECRET_FILE_MAX + 1];
	struct stat	st;
	ssize_t		n;

	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		return "is not a regular file";
	if (st.st_mode & refused)
		return "is accessible to users other than its owner: chmod 600";
	n = read(fd, bytes, sizeof(bytes));
	if (n < 0 || n > SECRET_FILE_MAX)
		return n < 0 ? "cannot be read" : "is too long to be a secret";
	while (n > 0 && (bytes[n - 1] == '\n' || bytes[n - 1] == '\r'))
		n--;
	*out = mem_copy(ctx, bytes, (size_t)n);
	explicit_bzero(bytes, sizeof(bytes));
	return NULL;
}

static const char *
file_take(mem_ctx *ctx, const char *path, mode_t refused, const char **out)
{
	int		fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	const char	*wrong;

	if (fd < 0)
		return errno == ENOENT ? "does not exist" : errno == EACCES ? "cannot be read: no permission" :
		    "cannot be opened";
	wrong = secret_read(ctx, fd, refused, out);
	close(fd);
	return wrong;
}

/*
 * systemd's copy of a root-only file (LoadCredential=), under its last name in a directory of this program alone. Its
 * group's bits are the mask of an access control list, which names this program's user. It is empty where the unit's
 * fallback (SetCredential=) stands for a file that does not exist.
 */
static bool
credential_take(mem_ctx *ctx, const char *path, const char **out, const char **wrong)
{
	const char	*directory = getenv("CREDENTIALS_DIRECTORY"), *name = strrchr(path, '/');
	const char	*copy;

	if (directory == NULL || *directory != '/')
		return false;
	copy = mem_printf(ctx, "%s/%s", directory, name ? name + 1 : path);
	if (access(copy, F_OK) != 0)
		return false;
	*wrong = file_take(ctx, copy, 037, out);
	if (*wrong != NULL || **out != '\0')
		return true;
	*out = NULL;
	return false;
}

const char *
config_secret_file(mem_ctx *ctx, const char *path, const char **out)
{
	const char	*wrong = NULL;

	return credential_take(ctx, path, out, &wrong) ? wrong : file_take(ctx, path, 077, out);
}

const char *
config_check_secret(const char *s)
{
	if (*s == '\0')
		return "is empty";
	for (; *s; s++) {
		if (isspace((unsigned char)*s) || iscntrl((unsigned char)*s))
			return "has white space or a control character in it";
	}
	return NULL;
}
