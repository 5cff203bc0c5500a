#include "commands.h"

#include <sysexits.h>

#include "json.h"

static void
fault_print(struct json_object *fault)
{
	long long	n = json_int(fault, "/n", 0), rows = json_int(fault, "/rows", 1);

	if (rows > 1)
		printf("%lld to %lld\t%s\n", n, n + rows - 1, json_text(fault, "/fault"));
	else
		printf("%lld\t%s\n", n, json_text(fault, "/fault"));
}

int
audit_verify(const struct operator *o)
{
	struct json_object	*done, *faults;
	enum err		e = db_service(operator_as(o, o->mem), &done, "ops.verify_audit()", NO_ARGS);
	size_t			n;

	if (e != OK)
		return operator_failed(o, e);
	faults = json_at(done, "/faults");
	n = json_object_array_length(faults);
	if (o->json) {
		operator_json(done);
		return n == 0 ? EX_OK : 1;
	}
	for (size_t i = 0; i < n; i++)
		fault_print(json_object_array_get_idx(faults, i));
	printf("%lld rows%s; the last one's hash is %s\n", (long long)json_int(done, "/n", 0),
	    n == 0 ? ", as they were written" : "", json_text(done, "/hash"));
	return n == 0 ? EX_OK : 1;
}
