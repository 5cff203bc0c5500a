#include "http.h"

#include <string.h>

struct search {
	mem_ctx		*mem;
	const char	*name;
	const char	*value;		/* of the first that was found */
	unsigned	 found;
};

static void
look_at_pair(struct search *s, const char *pair, size_t n)
{
	size_t	len = strlen(s->name);

	if (n <= len || memcmp(pair, s->name, len) != 0 || pair[len] != '=')
		return;
	if (s->found++ == 0)
		s->value = mem_copy(s->mem, pair + len + 1, n - len - 1);
}

static void
look_at_header(struct search *s, const char *header)
{
	size_t	n, kept;

	for (; *header != '\0'; header += n) {
		header += strspn(header, " \t;");
		n = kept = strcspn(header, ";");
		while (kept > 0 && (header[kept - 1] == ' ' || header[kept - 1] == '\t'))
			kept--;
		if (kept > 0)
			look_at_pair(s, header, kept);
	}
}

const char *
http_cookie(const struct http_req *q, const char *name, bool *ambiguous)
{
	struct search	s = { .mem = q->mem, .name = name };

	for (size_t i = 0; i < q->n_params; i++)
		if (strcmp(q->params[i].name, "HTTP_COOKIE") == 0)
			look_at_header(&s, q->params[i].value);
	if (ambiguous != NULL)
		*ambiguous = s.found > 1;
	return s.found > 1 ? NULL : s.value;
}
