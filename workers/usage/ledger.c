/* ledger: holds before the work, settles after it, and tells what is left. The database decides. */
#include <string.h>

#include "answer.h"
#include "db.h"
#include "json.h"
#include "usage.h"
#include "visit.h"

enum { KEY = 255 };

/*
 * What a refusal is to a caller. A rate's name stands behind its code. The last row is of any other code, which no key
 * gets: its calls are in no account of a provider or of all (usage.providers_of()).
 */
static const struct refusal {
	const char	*code;
	int		status;
	bool		upgrade;	/* another plan helps */
	const char	*sentence;
} refusals[] = {
	{ "rate_", 429, false, "Too many in a short time" },
	{ "quota", 402, true, "What the plan includes is used up" },
	{ "cap", 402, true, "The limit on spending is reached" },
	{ "plan", 403, true, "The plan does not include this" },
	{ "", 503, false, "The service is not available now" },
};

static const struct refusal *
refusal_find(const char *code)
{
	const struct refusal	*r = refusals;

	while (strncmp(code, r->code, strlen(r->code)) != 0)
		r++;
	return r;
}

static enum err
ledger_answer(struct visit *v, struct json_object *doc)
{
	const struct refusal	*r;
	long long		retry = json_int(doc, "/retry_after", 60);

	answer_limits(v, doc);
	if (json_true(doc, "/ok"))
		return answer_json(v, 200, doc);
	r = refusal_find(json_text(doc, "/code"));
	answer_put_error(doc, json_text(doc, "/code"), r->sentence);
	if (r->upgrade)
		json_put(doc, "upgrade", visit_url(v, "/settings/billing"));
	v->wait = retry;
	if (r->status == 503)
		http_header(v->r, "Retry-After", mem_printf(v->q->mem, "%lld", retry));
	return answer_json(v, r->status, doc);
}

/* The document as it was sent, for the database to read. */
static struct db_arg
sent(const struct visit *v)
{
	return TEXT(json_object_to_json_string_ext(v->json, JSON_C_TO_STRING_PLAIN));
}

/* What the caller calls this request, so that it is done once however often it is sent. NULL: it is one. */
static const char *
key_fault(const char *key, bool twice)
{
	if (key == NULL || *key == '\0')
		return "is missing";
	if (twice)
		return "is sent twice";
	for (const char *c = key; *c != '\0'; c++) {
		if (*c < ' ' || *c > '~' || c - key >= KEY)
			return "must be at most 255 printable characters of ASCII";
	}
	return NULL;
}

/* A refusal that names the field. call: "reserve", "settle" or "record". */
static enum err
refuse(struct visit *v, struct db_key *me, const char *call, enum err why)
{
	struct json_object	*fault = NULL;
	bool			settles = strcmp(call, "settle") == 0;
	enum err		e;

	if (why == ERR_CONFLICT && settles)
		return answer_fault(v, why, "id", "has ended with something else");
	if (why == ERR_CONFLICT)
		return answer_fault(v, why, "Idempotency-Key", "was sent with another request");
	if (why == ERR_NOT_FOUND && settles)
		return answer_fault(v, why, "id", "is no hold of this account");
	if (why != ERR_INVALID)
		return why;
	e = db_key(me, &fault, "api.usage_fault($1, $2::jsonb)", ARGS(TEXT(call), sent(v)));
	if (e != OK && e != ERR_INVALID)
		return e;
	return answer_fault(v, why, fault != NULL ? json_text(fault, "/field") : "body",
	    fault != NULL ? json_text(fault, "/reason") : "holds what cannot be stored");
}

/* Holds units before the work, or records what was used without a hold: each key does it once. */
static enum err
count(struct visit *v, struct db_key *me, bool holds)
{
	bool			twice;
	const char		*key = http_param(v->q, "HTTP_IDEMPOTENCY_KEY", &twice), *wrong = key_fault(key, twice);
	struct json_object	*doc;
	enum err		e;

	if (v->json == NULL)
		return answer_fault(v, ERR_INVALID, "body", "is missing");
	if (wrong != NULL)
		return answer_field(v, "Idempotency-Key", wrong);
	e = holds ? db_key(me, &doc, "api.usage_reserve($1::jsonb, $2)", ARGS(sent(v), TEXT(key))) :
	    db_key(me, &doc, "api.usage_record($1::jsonb, $2)", ARGS(sent(v), TEXT(key)));
	return e == OK ? ledger_answer(v, doc) : refuse(v, me, holds ? "reserve" : "record", e);
}

static enum err
reserve(struct visit *v, struct db_key *me)
{
	return count(v, me, true);
}

static enum err
record(struct visit *v, struct db_key *me)
{
	return count(v, me, false);
}

static enum err
settle(struct visit *v, struct db_key *me)
{
	struct json_object	*doc;
	enum err		e;

	if (v->json == NULL)
		return answer_fault(v, ERR_INVALID, "body", "is missing");
	e = db_key(me, &doc, "api.usage_settle($1::jsonb)", ARGS(sent(v)));
	return e == OK ? ledger_answer(v, doc) : refuse(v, me, "settle", e);
}

static enum err
summary(struct visit *v, struct db_key *me)
{
	struct json_object	*doc;

	TRY(db_key(me, &doc, "api.usage_summary()", NO_ARGS));
	return answer_json(v, 200, doc);
}

const struct route ledger_routes[] = {
	KEY("POST", "/api/usage/reserve", reserve),
	KEY("POST", "/api/usage/settle", settle),
	KEY("POST", "/api/usage/record", record),
	KEY("GET",  "/api/usage", summary),
	{ 0 }
};
