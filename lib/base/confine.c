#include "confine.h"

#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

enum { READ = LANDLOCK_ACCESS_FS_READ_FILE, READ_BELOW = READ | LANDLOCK_ACCESS_FS_READ_DIR,
	WRITE = READ | LANDLOCK_ACCESS_FS_WRITE_FILE };

/* Every right that the kernel can take away: those of the first version are the 13 lowest bits. */
static uint64_t
rights_known(long version)
{
	uint64_t	all = LANDLOCK_ACCESS_FS_REFER - 1;

	if (version >= 2)
		all |= LANDLOCK_ACCESS_FS_REFER;
	if (version >= 3)
		all |= LANDLOCK_ACCESS_FS_TRUNCATE;
	return all;
}

static enum err
path_allow(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr	rule = { .parent_fd = open(path, O_PATH | O_CLOEXEC) };
	struct stat				st;
	long					failed;

	if (rule.parent_fd < 0)
		return OK;
	rule.allowed_access = fstat(rule.parent_fd, &st) == 0 && S_ISDIR(st.st_mode) ? rights :
	    rights & ~(uint64_t)LANDLOCK_ACCESS_FS_READ_DIR;
	failed = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	close(rule.parent_fd);
	return failed == 0 ? OK : ERR_INTERNAL;
}

static enum err
ruleset_fill(int ruleset, const char *const *readable)
{
	for (; *readable != NULL; readable++)
		TRY(path_allow(ruleset, *readable, READ_BELOW));
	TRY(path_allow(ruleset, "/dev/null", WRITE));
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		return ERR_INTERNAL;
	return OK;
}

enum err
confine_files(const char *const *readable)
{
	long				version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	struct landlock_ruleset_attr	handled = { .handled_access_fs = rights_known(version) };
	int				ruleset;
	enum err			e;

	if (version < 1)
		return ERR_UNAVAILABLE;
	ruleset = (int)syscall(SYS_landlock_create_ruleset, &handled, sizeof(handled.handled_access_fs), 0);
	if (ruleset < 0)
		return ERR_INTERNAL;
	e = ruleset_fill(ruleset, readable);
	close(ruleset);
	return e;
}
