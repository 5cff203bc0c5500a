#include "device.h"

#include "identity.h"
#include "session.h"

static bool
device_read(struct visit *v, struct secret *device)
{
	return session_read(http_cookie(v->q, DEVICE_COOKIE, NULL), device);
}

struct db_arg
device_digest(struct visit *v)
{
	struct secret	device;

	return device_read(v, &device) ? identity_digest(v, &device) : SQL_NULL;
}

enum err
device_own(struct visit *v, struct secret *device)
{
	return device_read(v, device) ? OK : secret_random(device);
}
