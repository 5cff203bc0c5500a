#include "signature.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "mem.h"
#include "secret.h"

enum { T_DIGITS = 12, KEY_ID_DIGITS = 8, MOST_GUESSED = 64 * 1024 };

struct parsed {
	const char	*t;		/* its digits as sent: they are part of the signed text */
	size_t		t_len;
	int64_t		time;
	struct secret	v1[SIGNATURE_MAX_ITEMS];
	size_t		n_v1;		/* well-formed ones */
	size_t		seen_v1;
};

/* Plain decimal, no sign and no leading zero: what Stripe writes, and one spelling only for each number. */
static bool
read_time(struct parsed *p, const char *s, size_t n)
{
	if (p->t != NULL || n == 0 || n > T_DIGITS || s[0] == '0')
		return false;
	for (size_t i = 0; i < n; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		p->time = p->time * 10 + (s[i] - '0');
	}
	p->t = s;
	p->t_len = n;
	return true;
}

/*
 * One "name=value". False when the whole header must be refused; unknown names and pieces without '=' are skipped.
 * Stripe sends no blanks: a leading one shows that a web server joined two headers.
 */
static bool
read_item(struct parsed *p, const char *s, size_t n)
{
	const char	*equals = memchr(s, '=', n);
	size_t		name = equals ? (size_t)(equals - s) : n;

	if (n > 0 && (s[0] == ' ' || s[0] == '\t'))
		return false;
	if (equals == NULL)
		return true;
	if (name == 1 && s[0] == 't')
		return read_time(p, equals + 1, n - 2);
	if (name != 2 || memcmp(s, "v1", 2) != 0)
		return true;
	if (++p->seen_v1 > SIGNATURE_MAX_ITEMS)
		return false;
	if (secret_from_hex(equals + 1, n - 3, &p->v1[p->n_v1]))
		p->n_v1++;
	return true;
}

static bool
read_header(struct parsed *p, const char *header)
{
	if (strnlen(header, SIGNATURE_MAX_HEADER + 1) > SIGNATURE_MAX_HEADER)
		return false;
	for (const char *s = header; ; s++) {
		size_t	n = strcspn(s, ",");

		if (!read_item(p, s, n))
			return false;
		s += n;
		if (*s == '\0')
			break;
	}
	return p->t != NULL && p->n_v1 > 0;
}

/* Tries every secret with every v1, so that the time taken does not reveal which pair matched. */
static bool
any_matches(const struct parsed *p, const struct buf *said, const char *const *secrets, size_t n, size_t *which)
{
	bool	found = false;

	for (size_t i = n; i-- > 0;) {
		struct secret	mac = secret_hmac(secrets[i], strlen(secrets[i]), said->data, said->len);

		for (size_t j = 0; j < p->n_v1; j++) {
			if (secret_equal(&mac, &p->v1[j]) && secrets[i][0] != '\0') {
				found = true;
				*which = i;
			}
		}
	}
	return found;
}

/* end: what follows the body. */
static bool
body_matches(const struct parsed *p, const void *body, size_t n, const char *end, const char *const *secrets,
    size_t n_secrets, size_t *which)
{
	struct buf	said = { .ctx = mem_new() };
	bool		matches;

	buf_put(&said, p->t, p->t_len);
	buf_put(&said, ".", 1);
	buf_put(&said, body, n);
	buf_puts(&said, end);
	matches = any_matches(p, &said, secrets, n_secrets, which);
	talloc_free(said.ctx);
	return matches;
}

/* A proxy that parses the body and writes it again often changes how it ends, and a proxy with a limit cuts it. */
static bool
is_changed(const struct parsed *p, const char *body, size_t n, const char *const *secrets, size_t n_secrets)
{
	size_t	which, bare = n;

	while (bare > 0 && (body[bare - 1] == '\n' || body[bare - 1] == '\r'))
		bare--;
	if (n > MOST_GUESSED)
		return false;
	return !json_is_whole(body, n) || body_matches(p, body, bare, "", secrets, n_secrets, &which) ||
	    body_matches(p, body, n, "\n", secrets, n_secrets, &which);
}

enum signature_cause
signature_cause(const char *header, const void *body, size_t n, const char *const *secrets, size_t n_secrets)
{
	struct parsed	p = { 0 };
	size_t		which;

	if (header == NULL || !read_header(&p, header))
		return SIGNATURE_FORM;
	if (n == 0)
		return SIGNATURE_BODY;
	if (body_matches(&p, body, n, "", secrets, n_secrets, &which))
		return SIGNATURE_CLOCK;
	return is_changed(&p, body, n, secrets, n_secrets) ? SIGNATURE_BODY : SIGNATURE_SECRET;
}

const char *
signature_cause_name(enum signature_cause cause)
{
	static const char *const	names[] = { "form", "clock", "body", "secret" };

	return names[cause];
}

enum signature_verdict
signature_verify(const char *header, const void *body, size_t n, const char *const *secrets, size_t n_secrets,
    int64_t now, size_t *which)
{
	struct parsed	p = { 0 };
	size_t		index = 0;
	bool		matches;

	if (header == NULL || header[0] == '\0')
		return SIGNATURE_MISSING;
	if (!read_header(&p, header) || n == 0)
		return SIGNATURE_INVALID;
	matches = body_matches(&p, body, n, "", secrets, n_secrets, &index);
	if (which != NULL)
		*which = index;
	if (!matches || llabs(now - p.time) > SIGNATURE_TOLERANCE)
		return SIGNATURE_INVALID;
	return SIGNATURE_OK;
}

const char *
signature_key_id(mem_ctx *mem, const char *secret)
{
	struct secret	sum = secret_sha256("", secret, strlen(secret));

	return mem_copy(mem, secret_hex(mem, &sum), KEY_ID_DIGITS);
}
