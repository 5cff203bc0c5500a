#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "pages.h"
#include "provisioning.h"

/* The pages of every program that has some. The first with a fault prints it: common files are in all of them. */
static enum err
pages_check(const struct operator *o)
{
	static const char *const	folders[] = { "account", "billing", "mail", "signin", "signup" };
	const struct pages		*pages;

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++)
		TRY(pages_load(o->mem, o->config, folders[i], &pages));
	return OK;
}

static int
stripe_check(const struct operator *o)
{
	struct operator	live = *o;
	int		code = operator_stripe(&live);

	return code == EX_OK ? provisioning_check(&live) : code;
}

int
configuration_check(const struct operator *o)
{
	const char	*why;
	enum err	e;

	if (pages_check(o) != OK)
		return EX_CONFIG;
	printf("%s: ok\n", o->path);
	if (strcmp(o->config->site.environment, "production") == 0 && *o->config->og.key == '\0')
		printf("%s: og.key_file is not set: anybody can have any words drawn under this site's name\n", o->path);
	if (!o->live)
		return EX_OK;
	e = db_admit(o->db, o->mem, &why);
	printf("database: %s\n", e == OK ? "ok" : why ? why : "cannot be reached as tollgate_operator");
	fflush(stdout);
	return e == OK ? stripe_check(o) : operator_code(e);
}
