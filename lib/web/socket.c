#include "serve.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 511 };

/* Several processes may wait on one socket: accept() must not block when another one took the connection. */
static int
make_ready(int fd)
{
	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0 || fcntl(fd, F_SETFD, FD_CLOEXEC) != 0)
		return -1;
	return fd;
}

int
serve_inherited(void)
{
	int		listening = 0;
	socklen_t	size = sizeof(listening);

	if (getsockopt(STDIN_FILENO, SOL_SOCKET, SO_ACCEPTCONN, &listening, &size) != 0 || !listening)
		return -1;
	return make_ready(STDIN_FILENO);
}

static int
fail(const char *where, const char *why)
{
	fprintf(stderr, "%s: %s\n", where, why);
	return -1;
}

static int
fail_closing(int fd, const char *where)
{
	fail(where, strerror(errno));
	close(fd);
	return -1;
}

/* The lock is held until the process ends. A socket file alone does not tell whether a process listens on it. */
static bool
take_lock(const char *path)
{
	char	name[sizeof(((struct sockaddr_un *)0)->sun_path) + sizeof(".lock")];
	int	fd;

	snprintf(name, sizeof(name), "%s.lock", path);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	fail(name, fd >= 0 && errno == EWOULDBLOCK ? "another process serves this socket" : strerror(errno));
	if (fd >= 0)
		close(fd);
	return false;
}

/* Removes a socket that a dead process left; anything else in the way stays and makes bind() fail. */
static void
remove_stale(const char *path)
{
	struct stat	st;

	if (lstat(path, &st) == 0 && S_ISSOCK(st.st_mode))
		unlink(path);
}

static int
listen_unix(const char *path)
{
	struct sockaddr_un	a = { .sun_family = AF_UNIX };
	mode_t			mask;
	int			fd, bound;

	if (strlen(path) >= sizeof(a.sun_path))
		return fail(path, "the path is too long for a socket");
	strcpy(a.sun_path, path);
	if (!take_lock(path))
		return -1;
	remove_stale(path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) < 0)
		return fail(path, strerror(errno));
	mask = umask(0117);
	bound = bind(fd, (struct sockaddr *)&a, sizeof(a));
	umask(mask);
	if (bound != 0 || listen(fd, BACKLOG) != 0)
		return fail_closing(fd, path);
	return make_ready(fd);
}

static int
listen_address(const struct addrinfo *a, const char *where)
{
	const int	on = 1;
	int		fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return fail(where, strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, a->ai_addr, a->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0)
		return fail_closing(fd, where);
	return make_ready(fd);
}

/* "127.0.0.1:9000", "[::1]:9000". The host is mandatory, so that no slip opens the port to the world. */
static int
listen_tcp(const char *where, const char *colon)
{
	const struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV };
	bool			 bracket = where[0] == '[' && colon[-1] == ']';
	size_t			 n = (size_t)(colon - where) - (bracket ? 2 : 0);
	char			 host[256];
	struct addrinfo		*found;
	int			 error, fd;

	if (n == 0 || n >= sizeof(host))
		return fail(where, "expected HOST:PORT or a PATH with a slash in it");
	snprintf(host, sizeof(host), "%.*s", (int)n, where + bracket);
	if ((error = getaddrinfo(host, colon + 1, &hints, &found)) != 0)
		return fail(where, gai_strerror(error));
	fd = listen_address(found, where);
	freeaddrinfo(found);
	return fd;
}

int
serve_listen(const char *where)
{
	const char	*colon = strrchr(where, ':');

	if (strchr(where, '/') != NULL)
		return listen_unix(where);
	if (colon == NULL || colon == where)
		return fail(where, "expected HOST:PORT or a PATH with a slash in it");
	return listen_tcp(where, colon);
}
