#include "http.h"

#include <string.h>
#include <strings.h>

#include "record.h"

const char *
http_param(const struct http_req *q, const char *name, bool *twice)
{
	const char	*value = NULL;

	if (twice != NULL)
		*twice = false;
	for (size_t i = 0; i < q->n_params; i++) {
		if (strcmp(q->params[i].name, name) != 0)
			continue;
		if (value == NULL)
			value = q->params[i].value;
		else if (twice != NULL)
			*twice = true;
	}
	return value;
}

enum err
http_query(const struct http_req *q, const char *name, const char **value)
{
	return form_find(q->mem, q->query, strlen(q->query), name, value);
}

/* At most 9 digits, enough for any body that is accepted; -1 for anything else. */
static long
length_value(const char *s)
{
	long	n = 0;

	if (strspn(s, "0123456789") != strlen(s) || strlen(s) > 9)
		return -1;
	for (; *s != '\0'; s++)
		n = n * 10 + (*s - '0');
	return n;
}

/* An absent or empty CONTENT_LENGTH means an empty body. */
enum err
http_read_body(struct http_req *q, size_t limit)
{
	const struct record	*r = q->stream;
	bool			 twice;
	const char		*length = http_param(q, "CONTENT_LENGTH", &twice);
	long			 n = length != NULL ? length_value(length) : 0;

	if (r->body_over || r->body.len > limit || (n > 0 && (size_t)n > limit))
		return ERR_TOO_LARGE;
	if (twice || n < 0 || (size_t)n != r->body.len)
		return ERR_BAD_REQUEST;
	q->body = r->body.len > 0 ? r->body.data : "";
	q->body_len = r->body.len;
	return OK;
}

bool
http_content_is(const struct http_req *q, const char *media_type)
{
	bool		 twice;
	const char	*type = http_param(q, "CONTENT_TYPE", &twice);
	size_t		 n = strlen(media_type);

	if (type == NULL || twice || strncasecmp(type, media_type, n) != 0)
		return false;
	type += n;
	type += strspn(type, " \t");
	if (*type == '\0')
		return true;
	if (*type++ != ';')
		return false;
	type += strspn(type, " \t");
	return strcasecmp(type, "charset=utf-8") == 0 || strcasecmp(type, "charset=\"utf-8\"") == 0;
}
