#include "commands.h"

#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "json.h"
#include "progress.h"
#include "reconcile.h"
#include "table.h"

struct run {
	const struct operator	*o;
	struct progress		progress;
	const char		*pass;		/* the list that progress is printed for */
	long			done;
};

static void
pass_step(void *arg, const char *pass, long done, const char *at)
{
	struct run	*r = arg;

	if (r->pass == NULL || strcmp(r->pass, pass) != 0) {
		if (r->pass)
			progress_end(&r->progress, r->done);
		r->pass = mem_printf(r->o->mem, "%s", pass);
		progress_begin(&r->progress, mem_printf(r->o->mem, "%s read:", pass), 0);
	}
	r->done = done;
	progress_step(&r->progress, done, at);
}

static void
subscription_print(mem_ctx *mem, struct json_object *d)
{
	struct json_object	*fields = json_at(d, "/fields");

	printf("subscription %s of %s\n", json_text(d, "/id"), table_text(mem, json_at(d, "/tenant")));
	if (fields == NULL)
		return;
	json_object_object_foreach(fields, name, pair)
		printf("    %s is %s, should be %s\n", name, table_text(mem, json_at(pair, "/0")),
		    table_text(mem, json_at(pair, "/1")));
}

static void
difference_print(void *arg, struct json_object *d)
{
	const struct operator	*o = ((struct run *)arg)->o;
	mem_ctx			*mem = mem_new();

	if (o->json)
		operator_json(d);
	else if (json_is(d, "/kind", "event"))
		printf("event %s %s was not received\n", json_text(d, "/id"), table_text(mem, json_at(d, "/type")));
	else
		subscription_print(mem, d);
	talloc_free(mem);
}

int
reconcile_run(const struct operator *o)
{
	struct run		r = { .o = o };
	struct reconcile_result	result = { 0 };
	enum err		e = reconcile_now(&(struct reconcile){ .db = o->db, .stripe = o->stripe, .dry_run = o->dry_run,
				    .arg = &r, .progress = pass_step, .found = difference_print }, &result);

	if (r.pass)
		progress_end(&r.progress, r.done);
	if (e == ERR_CONFLICT)
		return operator_refused(o,
		    "another process is reconciling, or has just failed to: try again in a minute, when its lease ends");
	if (e != OK)
		return operator_failed(o, e);
	fprintf(stderr, "%ld of %ld events missed, %ld of %ld subscriptions differ%s\n", result.missed, result.events,
	    result.drifted, result.compared, o->dry_run ? "" : "; jobs will fetch them");
	return o->dry_run && result.missed + result.drifted > 0 ? EXIT_FAILURE : EX_OK;
}
