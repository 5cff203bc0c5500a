/* image: answers a request for a picture. */
#include <string.h>

#include "answer.h"
#include "asked.h"
#include "canvas.h"
#include "log.h"
#include "og.h"

/* A heading of 300 characters takes up to 3,600 bytes as percent-escapes. */
enum { QUERY_MAX = 4096 };

static void
headers_put(struct visit *v, const char *etag)
{
	http_header(v->r, "Cache-Control", "public, max-age=86400");
	http_header(v->r, "ETag", etag);
	http_header(v->r, "Content-Security-Policy", "default-src 'none'");
	http_header(v->r, "X-Content-Type-Options", "nosniff");
	/* Other sites show it: that is what it is for. */
	http_header(v->r, "Cross-Origin-Resource-Policy", "cross-origin");
	if (strncmp(v->app->config->site.url, "https:", 6) == 0)
		http_header(v->r, "Strict-Transport-Security", "max-age=31536000");
}

/* Whether the client has this very image: the tag is the same for as long as the image is. */
static bool
is_known(const struct http_req *q, const char *etag)
{
	const char	*known = http_param(q, "HTTP_IF_NONE_MATCH", NULL);

	return known != NULL && (strcmp(known, "*") == 0 || strstr(known, etag) != NULL);
}

/* Whether the address is ours, or any is allowed. */
static bool
is_ours(struct visit *v, const char *query, const char *signature)
{
	struct secret	wanted, given;

	if (!picture_sign(v->app->config, query, &wanted))
		return true;
	return signature != NULL && secret_from_base64url(signature, strlen(signature), &given) &&
	    secret_equal(&wanted, &given);
}

/* Of several threads one is left for refusals. */
static int
drawing_allowed(const struct app *app)
{
	int	most = app->config->og.drawing;

	return app->threads > 1 && most >= app->threads ? app->threads - 1 : most;
}

/* Refuses at once when og.drawing images are being drawn: a queue of them would take time from all that wait. */
static enum err
draw(struct visit *v, const struct picture *p, const char *label)
{
	const struct config	*c = v->app->config;
	struct og		*og = v->app->own;
	struct canvas_words	words = { og->family, c->site.name, label, strstr(c->site.url, "://") + 3,
					    og->logo };
	bool			refused = atomic_fetch_add(&og->drawing, 1) >= drawing_allowed(v->app);

	if (!refused) {
		v->r->body = (struct buf){ .ctx = v->r->mem };
		canvas_draw(p, &words, &v->r->body);
	}
	atomic_fetch_sub(&og->drawing, 1);
	return refused ? ERR_UNAVAILABLE : OK;
}

static enum err
image_answer(struct visit *v, const struct picture *p, const char *label, const char *query)
{
	const struct og	*og = v->app->own;
	struct secret	digest = secret_sha256(og->edition, query, strlen(query));
	const char	*etag = mem_printf(v->q->mem, "\"%s\"", secret_base64url(v->q->mem, &digest));

	v->r->status = is_known(v->q, etag) ? 304 : 200;
	if (v->r->status == 200) {
		TRY(draw(v, p, label));
		http_header(v->r, "Content-Type", "image/png");
	}
	headers_put(v, etag);
	return OK;
}

static enum err
image(struct visit *v)
{
	struct asked_fault	fault = { "query", "is longer than 4096 bytes" };
	const char		*signature, *label, *query;
	struct picture		p;

	if (strlen(v->q->query) > QUERY_MAX || !asked_read(v->q->mem, v->q->query, &p, &signature, &label, &fault))
		return answer_field(v, fault.field, fault.reason);
	query = picture_query(v->q->mem, &p);
	if (!is_ours(v, query, signature))
		return ERR_FORBIDDEN;
	return image_answer(v, &p, label, query);
}

const struct route image_routes[] = {
	PUBLIC("/api/og", image),
	{ 0 }
};
