/* factors: stores the seeds of second factors under another key, a part at a time. */
#include <sysexits.h>

#include "commands.h"
#include "json.h"
#include "progress.h"

enum { PART = 500 };	/* factors in one transaction, whose users wait for it with their codes */

struct rotation {
	const char	*after;			/* the last user whose factor is done */
	long		seen, moved, lost;
};

static enum err
part_move(const struct operator *o, mem_ctx *mem, struct rotation *r)
{
	struct json_object	*done;
	const char		*last;

	TRY(db_service(operator_as(o, mem), &done, "ops.rotate_seeds($1, $2::uuid, $3::int)",
	    ARGS(TEXT(config_seed_keys(mem, o->config)), TEXT(r->after), INT(PART))));
	last = json_text(done, "/last");
	r->after = last == NULL ? NULL : mem_printf(o->mem, "%s", last);
	r->seen += (long)json_int(done, "/seen", 0);
	r->moved += (long)json_int(done, "/moved", 0);
	r->lost += (long)json_int(done, "/lost", 0);
	return OK;
}

static enum err
parts_move(const struct operator *o, struct rotation *r)
{
	struct progress	p;
	enum err	e = OK;

	progress_begin(&p, "second factors:", 0);
	while (e == OK && r->after != NULL) {
		mem_ctx	*mem = mem_new();

		e = part_move(o, mem, r);
		progress_step(&p, r->seen, NULL);
		talloc_free(mem);
	}
	progress_end(&p, r->seen);
	return e;
}

int
factors_rotate(const struct operator *o)
{
	struct rotation		r = { .after = "00000000-0000-0000-0000-000000000000" };
	struct json_object	*said = json_new(o->mem);
	enum err		e;

	if (*o->config->auth.seed_key == '\0') {
		operator_refused(o, "auth.seed_key_file is not set");
		return EX_CONFIG;
	}
	e = parts_move(o, &r);
	if (e != OK)
		return operator_failed(o, e);
	json_object_object_add(said, "moved", json_object_new_int64(r.moved));
	json_object_object_add(said, "kept", json_object_new_int64(r.seen - r.moved - r.lost));
	json_object_object_add(said, "lost", json_object_new_int64(r.lost));
	if (o->json)
		operator_json(said);
	else
		printf("%ld moved to the new key, %ld had it already, %ld are stored under neither key\n", r.moved,
		    r.seen - r.moved - r.lost, r.lost);
	return r.lost == 0 ? EX_OK : 1;
}
