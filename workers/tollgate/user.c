#include "user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *
user_caller(mem_ctx *ctx)
{
	const char		*name = getenv("SUDO_USER");
	const struct passwd	*me = name && *name ? NULL : getpwuid(getuid());

	name = me ? me->pw_name : name && *name ? name : "unknown";
	return mem_copy(ctx, name, strlen(name));
}

/* HOME too: libpq looks for files there, and cannot read root's. */
enum err
user_become_operator(bool may_return)
{
	const struct passwd	*me = geteuid() == 0 ? getpwnam("tollgate_operator") : NULL;

	if (me == NULL)
		return OK;
	if (setenv("HOME", me->pw_dir, 1) != 0 || initgroups(me->pw_name, me->pw_gid) != 0 ||
	    setresgid(me->pw_gid, me->pw_gid, me->pw_gid) != 0 ||
	    setresuid(me->pw_uid, me->pw_uid, may_return ? 0 : me->pw_uid) != 0)
		return ERR_INTERNAL;
	return OK;
}

void
user_as_caller(bool caller)
{
	int	fault = errno;
	uid_t	real, effective, saved;

	if (getresuid(&real, &effective, &saved) == 0 && saved != real && seteuid(caller ? saved : real) != 0)
		abort();
	errno = fault;
}
