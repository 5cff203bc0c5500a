#include "check.h"
#include "identity.h"
#include "session.h"

static enum err
run(struct visit *v)
{
	v->csrf = session_csrf(v->q->mem, &v->session.stable);
	return identity_serve(v);
}

const struct route_kind kind_user = { .cookies = true, .session = true, .check = check_form, .run = run };
