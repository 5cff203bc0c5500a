#include "check.h"
#include "identity.h"

static enum err
run(struct visit *v)
{
	return identity_serve(v);
}

const struct route_kind kind_api = { .cookies = true, .json = true, .session = true, .check = check_api, .run = run };
