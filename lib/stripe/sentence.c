#include "sentence.h"

#include <stdbool.h>
#include <string.h>

#include "json.h"

#define DASHBOARD "https://dashboard.stripe.com/"

static const char *const	open_pages[] = { DASHBOARD, "https://stripe.com/docs/", "https://docs.stripe.com/",
	"https://support.stripe.com/", NULL };
static const char *const	secret_parts[] = { "@", "%40", "sk_", "rk_", "pk_", "whsec_", "tok_", "src_", "_secret_",
	"Bearer", NULL };

static const char *
part_find(const char *word, size_t n, const char *const *parts)
{
	for (const char *const *part = parts; *part != NULL; part++) {
		const char	*at = memmem(word, n, *part, strlen(*part));

		if (at != NULL)
			return at;
	}
	return NULL;
}

/* A link that carries a session or a token is as good as a key. */
static bool
is_secret(const char *word, size_t n)
{
	const char	*link = memmem(word, n, "://", 3);

	if (part_find(word, n, secret_parts) != NULL)
		return true;
	return link != NULL && part_find(word, n, open_pages) == NULL;
}

const char *
sentence_of(mem_ctx *mem, struct json_object *doc)
{
	const char	*said = json_text(doc, "/error/message");
	struct buf	b = { .ctx = mem };
	size_t		end;

	if (said == NULL || said[0] == '\0')
		return NULL;
	while (*said != '\0' && b.len < SENTENCE_MOST) {
		size_t	blank = strspn(said, " \t\r\n"), n = strcspn(said + blank, " \t\r\n");

		if (blank > 0 && b.len > 0)
			buf_put(&b, " ", 1);
		if (is_secret(said + blank, n))
			buf_put(&b, "***", 3);
		else
			buf_put(&b, said + blank, n);
		said += blank + n;
	}
	end = b.len < SENTENCE_MOST ? b.len : SENTENCE_MOST;
	while (end < b.len && end > 0 && ((unsigned char)b.data[end] & 0xC0) == 0x80)	/* within a character */
		end--;
	return mem_copy(mem, b.data != NULL ? b.data : "", end);
}

const char *
sentence_page(struct json_object *doc)
{
	const char	*page = json_text(doc, "/error/request_log_url");

	if (page == NULL || strncmp(page, DASHBOARD, strlen(DASHBOARD)) != 0 || strlen(page) >= SENTENCE_MOST)
		return NULL;
	return page;
}
