/* history: own conversations and their messages, for programs. Nothing of it asks a model. */
#include <stdlib.h>
#include <string.h>

#include "answer.h"
#include "chat.h"
#include "db.h"
#include "json.h"

enum { PAGE = 50, PAGE_MOST = 100 };

/* How many the address asks for. */
static enum err
limit_read(struct visit *v, int64_t *out)
{
	const char	*asked;
	size_t		n;

	TRY(http_query(v->q, "limit", &asked));
	*out = PAGE;
	if (asked == NULL)
		return OK;
	n = strspn(asked, "0123456789");
	*out = n > 0 && n <= 3 && asked[n] == '\0' ? strtol(asked, NULL, 10) : 0;
	return *out >= 1 && *out <= PAGE_MOST ? OK : ERR_BAD_REQUEST;
}

static enum err
list(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*after, *tenant;
	int64_t			limit;

	TRY(visit_tenant(v, &tenant));
	TRY(http_query(v->q, "after", &after));
	TRY(limit_read(v, &limit));
	TRY(db_user(me, &doc, "api.chat_list($1::uuid, $2, $3::int)", ARGS(TEXT(tenant), TEXT(after), INT(limit))));
	return answer_json(v, 200, doc);
}

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;
	const char		*before;
	int64_t			limit;

	TRY(http_query(v->q, "before", &before));
	TRY(limit_read(v, &limit));
	TRY(db_user(me, &doc, "api.chat_show($1, $2, $3::int)",
	    ARGS(TEXT(visit_param(v, "id")), TEXT(before), INT(limit))));
	return answer_json(v, 200, doc);
}

static enum err
delete(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.chat_delete($1)", ARGS(TEXT(visit_param(v, "id")))));
	return answer_nothing(v);
}

/* What useChat asks when it resumes: an answer ends with the connection that asked for it, so there is never one. */
static enum err
resume(struct visit *v, struct db_user *me)
{
	TRY(db_user(me, NULL, "api.chat_list(null, null, 1)", NO_ARGS));
	return answer_nothing(v);
}

const struct route history_routes[] = {
	API("GET",    "/api/chat", list),
	API("GET",    "/api/chat/:id(word)", show),
	API("DELETE", "/api/chat/:id(word)", delete),
	API("GET",    "/api/chat/:id(word)/stream", resume),
	{ 0 }
};
