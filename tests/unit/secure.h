/* secure: servers over TLS, and certificates that are as they should be or not. Include after cmocka.h. */
#ifndef TOLLGATE_TEST_SECURE_H
#define TOLLGATE_TEST_SECURE_H

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"

static char	dir[] = "/tmp/tollgate-https-XXXXXX";	/* the authority and its certificates */

static inline struct sockaddr_in
loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static inline uint16_t
port_of(int fd)
{
	struct sockaddr_in	a;
	socklen_t		size = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &size), 0);
	return a.sin_port;
}

static inline int
listener(int backlog)
{
	struct sockaddr_in	a = loopback(0);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

static inline int
connected(uint16_t port)
{
	struct sockaddr_in	a = loopback(port);
	int			fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
		return fd;
	close(fd);
	return -1;
}

/* A server over TLS that answers GET /x with 200 and {}. What varies is its certificate, and the versions it speaks. */
static inline pid_t
tls_serve(const char *certificate, const char *conf, uint16_t *port)
{
	mem_ctx		*mem = mem_new();
	int		fd = listener(1);
	const char	*where;
	pid_t		child;

	*port = port_of(fd);
	close(fd);
	where = mem_printf(mem, "127.0.0.1:%d", ntohs(*port));
	child = fork();
	if (child == 0) {
		if (chdir(dir) != 0 || setenv("OPENSSL_CONF", conf, 1) != 0)
			_exit(127);
		execlp("openssl", "openssl", "s_server", "-quiet", "-HTTP", "-accept", where, "-cert", certificate, "-key",
		    certificate, NULL);
		_exit(127);
	}
	for (fd = -1; fd < 0 && waitpid(child, NULL, WNOHANG) == 0; usleep(10000))
		fd = connected(*port);
	assert_true(fd >= 0);
	close(fd);
	talloc_free(mem);
	return child;
}

static inline int
certificates_make(void **state)
{
	char	command[200], path[100];
	FILE	*x;

	(void)state;
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(command, sizeof(command), "tests/tls/certificates %s", dir);
	if (system(command) != 0)
		return -1;
	snprintf(path, sizeof(path), "%s/x", dir);
	x = fopen(path, "w");
	fputs("HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}", x);
	fclose(x);
	snprintf(path, sizeof(path), "%s/ca.crt", dir);
	setenv("TEST_CA", path, 1);
	snprintf(path, sizeof(path), "%s/old.conf", dir);
	return setenv("OPENSSL_CONF", path, 1);
}

static inline int
certificates_remove(void **state)
{
	char	command[200];

	(void)state;
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

#endif
