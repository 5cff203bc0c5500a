#include "check.h"
#include "db.h"
#include "visit.h"

static enum err
run(struct visit *v)
{
	return v->route->visitor(v, db_as_visitor(v->q->mem, v->app->db));
}

const struct route_kind kind_visitor = { .cookies = true, .check = check_form, .run = run };
