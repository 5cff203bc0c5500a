#include "authn.h"

#include "json.h"
#include "log.h"
#include "page.h"

enum err
failed(struct visit *v, int status, const struct config_provider *p, const char *reason)
{
	struct json_object	*doc = json_new(v->q->mem);

	log_line(LOG_WARN, "provider_refused", LOG_TEXT("provider", p->name), LOG_TEXT("reason", reason));
	json_put(doc, "provider", p->label);
	json_put(doc, "again", visit_path(v, "/signin"));
	if (status == 503) {
		http_header(v->r, "Retry-After", "60");
		json_put_true(doc, "unreachable");
	}
	return page_status(v, status, "failed", doc);
}
