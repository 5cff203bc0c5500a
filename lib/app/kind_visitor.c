#include "check.h"
#include "identity.h"
#include "visit.h"

static enum err
run(struct visit *v)
{
	return v->route->visitor(v, identity_visitor(v));
}

const struct route_kind kind_visitor = { .cookies = true, .check = check_form, .run = run };
