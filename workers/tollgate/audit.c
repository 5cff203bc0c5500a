#include "commands.h"

#include <sysexits.h>

#include "json.h"
#include "progress.h"

enum { PART = 20000, FAULTS = 100 };	/* rows that are checked in one statement; faults that are enough to know */

struct check {
	struct json_object	*said;		/* {"faults", "n", "hash"}, of all parts */
	const char		*before;	/* hash of the last row that is checked, NULL at first */
	int64_t			last;		/* its number */
	bool			end;
};

static void
fault_print(struct json_object *fault)
{
	long long	n = json_int(fault, "/n", 0), rows = json_int(fault, "/rows", 1);

	if (rows > 1)
		printf("%lld to %lld\t%s\n", n, n + rows - 1, json_text(fault, "/fault"));
	else
		printf("%lld\t%s\n", n, json_text(fault, "/fault"));
}

static struct json_object *
faults_of(const struct check *c)
{
	return json_at(c->said, "/faults");
}

/* Each part has its own memory. What a statement checks is bounded, so no log is too long for it. */
static enum err
part_check(const struct operator *o, mem_ctx *mem, struct check *c)
{
	struct json_object	*done, *faults;

	TRY(db_service(operator_as(o, mem), &done, "ops.verify_audit($1, coalesce(decode($2, 'hex'), sha256('')), $3::int)",
	    ARGS(INT(c->last), TEXT(c->before), INT(PART))));
	faults = json_at(done, "/faults");
	for (size_t i = 0; i < json_object_array_length(faults) && json_object_array_length(faults_of(c)) < FAULTS; i++)
		json_object_array_add(faults_of(c), json_object_get(json_object_array_get_idx(faults, i)));
	json_object_object_add(c->said, "n", json_object_get(json_at(done, "/n")));
	json_object_object_add(c->said, "hash", json_object_get(json_at(done, "/hash")));
	c->last = json_int(done, "/last", 0);
	c->before = mem_printf(o->mem, "%s", json_text(done, "/before"));
	c->end = json_true(done, "/end");
	return OK;
}

static enum err
parts_check(const struct operator *o, struct check *c)
{
	struct progress	p;
	enum err	e = OK;
	long		parts = 0;

	while (e == OK && !c->end && json_object_array_length(faults_of(c)) < FAULTS) {
		mem_ctx	*mem = mem_new();

		e = part_check(o, mem, c);
		if (parts++ == 0)
			progress_begin(&p, "rows checked:", (long)json_int(c->said, "/n", 0));
		if (e == OK && parts > 1)
			progress_step(&p, (long)c->last, NULL);
		talloc_free(mem);
	}
	if (e == OK && parts > 1)
		progress_end(&p, (long)c->last);
	return e;
}

int
audit_verify(const struct operator *o)
{
	struct check	c = { .said = json_new(o->mem) };
	enum err	e;
	size_t		n;

	json_object_object_add(c.said, "faults", json_object_new_array());
	e = parts_check(o, &c);
	if (e != OK)
		return operator_failed(o, e);
	n = json_object_array_length(faults_of(&c));
	if (o->json) {
		operator_json(c.said);
		return n == 0 ? EX_OK : 1;
	}
	for (size_t i = 0; i < n; i++)
		fault_print(json_object_array_get_idx(faults_of(&c), i));
	printf("%lld rows%s; the last one's hash is %s\n", (long long)json_int(c.said, "/n", 0),
	    n == 0 ? ", as they were written" : "", json_text(c.said, "/hash"));
	return n == 0 ? EX_OK : 1;
}
