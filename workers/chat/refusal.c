#include "refusal.h"

#include <string.h>

#include "answer.h"
#include "json.h"

/* A rate's name stands behind its code, so its row is for those beginning so. The last row is of any other code. */
static const struct refusal refusals[] = {
	{ "rate_minute", NULL, 429, false, 60, "Too many messages in a minute", "refused_rate_minute" },
	{ "rate_day", NULL, 429, true, 3600, "Too many messages in a day", "refused_rate_day" },
	{ "rate_", NULL, 429, false, 60, "Too many messages in a short time", "refused_rate" },
	{ "quota", NULL, 402, true, 0, "What the plan includes is used up", "refused_quota" },
	{ "cap", NULL, 402, true, 0, "The limit on spending is reached", "refused_cap" },
	{ "plan", NULL, 403, true, 0, "The plan does not include this", "refused_plan" },
	{ "model", NULL, 422, false, 0, "There is no such model", "refused_model" },
	{ "message", "invalid", 422, false, 0, "This message had another text, or there is nothing to answer again",
	    "refused_invalid" },
	{ "auth", NULL, 401, false, 0, "The session is over", "refused_auth" },
	{ "busy", NULL, 409, false, 5, "This message is being answered", "refused_busy" },
	{ "many", "busy", 409, false, 5, "Too many answers are being written for this person", "refused_busy" },
	{ "later", "busy", 409, false, 0, "A later message was sent in this conversation", "refused_busy" },
	{ "deleted", "invalid", 404, false, 0, "The conversation was deleted", "refused_invalid" },
	{ "full", "busy", 503, false, 5, "Too many answers are being written", "refused_busy" },
	{ "provider", NULL, 503, false, 10, "The model cannot be reached", "refused_provider" },
	{ "missing", "invalid", 422, false, 0, "The message is empty", "refused_missing" },
	{ "too_large", NULL, 413, false, 0, "The message is too long", "refused_too_large" },
	{ "", "unavailable", 503, false, 5, "The service is not available now", "refused_unavailable" },
};

const struct refusal *
refusal_find(const char *code)
{
	const struct refusal	*r = refusals;

	while (strncmp(code != NULL ? code : "", r->code, strlen(r->code)) != 0)
		r++;
	return r;
}

static long
wait_of(const struct refusal *r, struct json_object *doc)
{
	long	wait = (long)json_int(doc, "/wait", 0);

	return wait > 0 ? wait : r->wait;
}

struct json_object *
refusal_document(struct visit *v, const char *code, struct json_object *doc)
{
	const struct refusal	*r = refusal_find(code);
	struct json_object	*out = json_new(v->q->mem);
	long			wait = wait_of(r, doc);

	answer_put_error(out, r->word != NULL ? r->word : code, r->sentence);
	if (wait > 0)
		json_object_object_add(out, "retry_after", json_object_new_int64(wait));
	json_put(out, "reset", json_text(doc, "/reset"));
	if (json_at(doc, "/left") != NULL)
		json_object_object_add(out, "left", json_object_get(json_at(doc, "/left")));
	if (r->upgrade)
		json_put(out, "upgrade", visit_url(v, "/settings/billing"));
	return out;
}

enum err
refusal_answer(struct visit *v, const char *code, struct json_object *doc)
{
	const struct refusal	*r = refusal_find(code);

	answer_limits(v, doc);
	v->wait = wait_of(r, doc);
	if (r->status == 503)
		http_header(v->r, "Retry-After", mem_printf(v->q->mem, "%ld", v->wait));
	return answer_json(v, r->status, refusal_document(v, code, doc));
}
