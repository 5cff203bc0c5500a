/* profile: what the user is called, as a page and as a JSON API. */
#include <string.h>

#include "account.h"
#include "answer.h"
#include "db.h"
#include "json.h"
#include "page.h"

#define PROFILE "/settings/profile"

static enum err
show(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.profile()", NO_ARGS));
	json_put(doc, "wanted_name", form_get(&v->form, "display_name"));
	if (v->fault != NULL && strcmp(v->fault, "display_name_wrong") == 0) {
		json_put(doc, "name_error", v->fault);
		v->fault = NULL;
	}
	return page(v, "profile", doc);
}

static enum err
change(struct visit *v, struct db_user *me)
{
	const char	*name = form_get(&v->form, "display_name");
	enum err	e;

	TRY(visit_fields(v, "display_name"));
	e = db_user(me, NULL, "api.name_user($1)", ARGS(TEXT(name)));
	if (e == ERR_INVALID)
		return visit_again(v, PROFILE, 422, "display_name_wrong");
	TRY(e);
	return http_redirect(v->r, visit_path(v, PROFILE));
}

static enum err
get(struct visit *v, struct db_user *me)
{
	struct json_object	*doc;

	TRY(db_user(me, &doc, "api.profile()", NO_ARGS));
	return answer_json(v, 200, doc);
}

/* Answers with the profile as it is then. Any other member is refused: it would look changed. */
static enum err
patch(struct visit *v, struct db_user *me)
{
	const char	*name = json_whole_text(v->json, "/display_name");
	enum err	e;

	if (!json_object_is_type(v->json, json_type_object) || json_object_object_length(v->json) != 1)
		return answer_field(v, "display_name", "must be the only member");
	e = name != NULL ? db_user(me, NULL, "api.name_user($1)", ARGS(TEXT(name))) : ERR_INVALID;
	if (e == ERR_INVALID)
		return answer_field(v, "display_name", "must have 3 to 32 characters");
	TRY(e);
	return get(v, me);
}

const struct route profile_routes[] = {
	USER("GET",  "/settings/profile", show),
	USER("POST", "/settings/profile", change),
	API("GET", "/api/user", get),
	API("PATCH", "/api/user", patch),
	{ 0 }
};
