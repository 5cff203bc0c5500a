#include <string.h>

#include "deadline.h"
#include "form.h"
#include "json.h"
#include "log.h"
#include "stripe.h"

enum { PAGE_MOST = 100, PAGE_PART = 10 };

static enum err
page_get(struct stripe *s, mem_ctx *mem, const struct stripe_list *l, int limit, struct json_object **page)
{
	struct buf	form = { .ctx = mem };

	if (l->form != NULL)
		buf_puts(&form, l->form);
	form_put(&form, "limit", mem_printf(mem, "%d", limit));
	if (l->after != NULL)
		form_put(&form, "starting_after", l->after);
	return stripe_call(s, mem, "GET", l->path, form.data, NULL, page);
}

static enum err
not_a_list(const struct stripe_list *l)
{
	log_line(LOG_ERROR, "stripe_list", LOG_TEXT("path", l->path), LOG_TEXT("reason", "the answer is not a list"));
	return ERR_UPSTREAM;
}

/* An answer over HTTPS_MAX_BODY is ERR_UPSTREAM: then a tenth of the objects is asked for. */
enum err
stripe_list(struct stripe *s, mem_ctx *mem, struct stripe_list *l)
{
	struct json_object	*page;
	const char		*last = NULL;
	size_t			n;
	enum err		e = ERR_UPSTREAM;

	for (int limit = PAGE_MOST; e == ERR_UPSTREAM && limit >= 1; limit /= PAGE_PART)
		e = page_get(s, mem, l, limit, &page);
	TRY(e);
	l->data = json_at(page, "/data");
	if (!json_object_is_type(l->data, json_type_array))
		return not_a_list(l);
	n = json_object_array_length(l->data);
	for (size_t i = 0; i < n; i++) {
		last = json_text(json_object_array_get_idx(l->data, i), "/id");
		if (last == NULL)
			return not_a_list(l);
	}
	l->more = json_true(page, "/has_more") && last != NULL;
	if (last != NULL)
		l->after = last;
	return OK;
}

enum err
stripe_list_all(struct stripe *s, mem_ctx *mem, const char *path, const char *form, int64_t until,
    struct json_object *into)
{
	struct stripe_list	l = { .path = path, .form = form, .more = true };

	while (l.more) {
		if (deadline_left(until) == 0)
			return ERR_UNAVAILABLE;
		TRY(stripe_list(s, mem, &l));
		for (size_t i = 0; i < json_object_array_length(l.data); i++)
			json_object_array_add(into, json_object_get(json_object_array_get_idx(l.data, i)));
	}
	return OK;
}
