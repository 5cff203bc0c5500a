#include "commands.h"

#include <stdlib.h>
#include <sysexits.h>

#include "json.h"

int
configuration_check(const struct operator *o)
{
	const char	*why;
	enum err	e;

	printf("%s: ok\n", o->path);
	if (!o->live)
		return EX_OK;
	e = db_admit(o->db, o->mem, &why);
	printf("database: %s\n", e == OK ? "ok" : why ? why : "cannot be reached as tollgate_operator");
	return operator_code(e);
}
