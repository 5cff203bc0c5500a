/* list: pages of rows that are searched, and what follows an act. */
#include <string.h>

#include "operators.h"
#include "json.h"
#include "mem.h"
#include "text.h"

enum err
list_asked(struct visit *v, const char **text, const char **after)
{
	TRY(http_query(v->q, "q", text));
	TRY(http_query(v->q, "after", after));
	if (*text == NULL)
		*text = "";
	return *after == NULL || text_is_uuid(*after, strlen(*after)) ? OK : ERR_NOT_FOUND;
}

void
list_put(struct visit *v, struct json_object *doc, const char *path, const char *text)
{
	const char	*after = json_text(doc, "/after");
	struct buf	next = { .ctx = v->q->mem };

	json_put(doc, "q", text);
	if (after == NULL)
		return;
	buf_printf(&next, "%s?", visit_path(v, path));
	form_put(&next, "q", text);
	form_put(&next, "after", after);
	json_put(doc, "more", next.data);
}

enum err
act_done(struct visit *v, enum err e, const char *wrong)
{
	if (e == OK)
		return http_redirect(v->r, visit_path(v, v->path));
	if (e == ERR_INVALID)
		return visit_again(v, v->path, 422, wrong);
	if (e == ERR_CONFLICT)
		return visit_again(v, v->path, 409, "fault_own");
	return e;
}
