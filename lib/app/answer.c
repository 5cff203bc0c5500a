#include "answer.h"

#include <string.h>

#include "json.h"
#include "session.h"

void
answer_headers(struct visit *v)
{
	http_header(v->r, "Content-Security-Policy", v->fetches ? v->app->csp_fetch : v->scripted ? v->app->csp_script :
	    v->app->csp);
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	/* With "no-referrer" browsers send "Origin: null" with our own forms. "strict-origin" reveals no path either. */
	http_header(v->r, "Referrer-Policy", "strict-origin");
	http_header(v->r, "Cross-Origin-Opener-Policy", "same-origin");
	http_header(v->r, "Cross-Origin-Resource-Policy", "same-origin");
	http_header(v->r, "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=()");
	http_header(v->r, "Cache-Control", "no-store");
	http_header(v->r, "Vary", "Accept, Accept-Language, Cookie");
	if (strncmp(v->app->config->site.url, "https:", 6) == 0)
		http_header(v->r, "Strict-Transport-Security", "max-age=31536000");
}

enum err
answer_json(struct visit *v, int status, struct json_object *doc)
{
	const char	*text = json_object_to_json_string_ext(doc, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);

	answer_headers(v);
	http_body(v->r, status, "application/json", text, strlen(text));
	return OK;
}

enum err
answer_nothing(struct visit *v)
{
	answer_headers(v);
	v->r->status = 204;
	return OK;
}

void
answer_limits(struct visit *v, struct json_object *doc)
{
	struct json_object	*limits = json_at(doc, "/limits");
	struct buf		policy = { .ctx = v->q->mem }, left = { .ctx = v->q->mem };

	for (size_t i = 0; limits != NULL && i < json_object_array_length(limits); i++) {
		struct json_object	*l = json_object_array_get_idx(limits, i);
		const char		*name = json_text(l, "/name"), *comma = i == 0 ? "" : ", ";

		buf_printf(&policy, "%s\"%s\";q=%lld;w=%lld", comma, name, (long long)json_int(l, "/allowed", 0),
		    (long long)json_int(l, "/seconds", 0));
		buf_printf(&left, "%s\"%s\";r=%lld;t=%lld", comma, name, (long long)json_int(l, "/left", 0),
		    (long long)json_int(l, "/reset", 0));
	}
	if (policy.data != NULL) {
		http_header(v->r, "RateLimit-Policy", policy.data);
		http_header(v->r, "RateLimit", left.data);
	}
}

void
answer_put_error(struct json_object *doc, const char *code, const char *sentence)
{
	json_put(doc, "error", sentence);
	json_put(doc, "code", code);
}

enum err
answer_fault(struct visit *v, enum err why, const char *field, const char *reason)
{
	struct json_object	*doc = json_new(v->q->mem);

	answer_put_error(doc, err_info(why)->name, err_info(why)->sentence);
	json_put(doc, "field", field);
	json_put(doc, "reason", reason);
	return answer_json(v, err_info(why)->status, doc);
}

enum err
answer_field(struct visit *v, const char *field, const char *reason)
{
	return answer_fault(v, ERR_BAD_REQUEST, field, reason);
}

enum err
answer_stream(struct visit *v, struct stream **out)
{
	answer_headers(v);
	http_header(v->r, "Content-Type", "text/event-stream");
	http_header(v->r, "X-Accel-Buffering", "no");
	http_header(v->r, "X-Vercel-AI-UI-Message-Stream", "v1");
	v->r->status = 200;
	visit_renew(v);
	v->candidate.stored = "";	/* one that is issued behind the head would not reach the browser */
	return stream_begin(v->r, out);
}

/* HTTP wants a 401 to name a scheme. Browsers know none for cookies or Bearer, and so ask for no password. */
static void
challenge(struct visit *v)
{
	if (v->route != NULL && v->route->kind->bearer) {
		http_header(v->r, "WWW-Authenticate", mem_printf(v->q->mem, "Bearer realm=\"%s\"", v->app->config->site.url));
		return;
	}
	http_header(v->r, "WWW-Authenticate", mem_printf(v->q->mem, "Cookie realm=\"%s\", form-action=\"%s\", "
	    "cookie-name=\"" SESSION_COOKIE "\"", v->app->config->site.url, visit_path(v, "/signin")));
}

void
answer_error(struct visit *v, enum err why)
{
	const struct err_info	*info = err_info(why);
	bool			json = (v->route != NULL && v->route->kind->json) || http_wants_json(v->q);
	struct json_object	*doc;

	if (why == ERR_AUTH)
		challenge(v);
	if (info->retryable && why != ERR_LIMIT)	/* the dispatcher sets it for every 429 */
		http_header(v->r, "Retry-After", "5");
	if (!json && v->app->error_page != NULL) {
		if (v->app->error_page(v, why) != OK)
			http_body(v->r, info->status, "text/plain; charset=utf-8", info->sentence, strlen(info->sentence));
		return;
	}
	doc = json_new(v->q->mem);
	answer_put_error(doc, v->route != NULL && v->route->bare && why == ERR_AUTH ? NULL : info->name, info->sentence);
	(void)answer_json(v, info->status, doc);
}
