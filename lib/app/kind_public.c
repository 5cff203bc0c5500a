#include "visit.h"

static enum err
run(struct visit *v)
{
	return v->route->public(v);
}

const struct route_kind kind_public = { .run = run };
