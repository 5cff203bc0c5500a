#include "mail.h"

#include <stdbool.h>
#include <string.h>

#include "text.h"

enum {
	BODY_COLUMNS	= 75,	/* plus '=' where a line continues */
	WORD_COLUMNS	= 48,	/* inside =?UTF-8?Q?...?=, which may have 75 in all */
	PLAIN_COLUMNS	= 60	/* longer headers are encoded, which folds them */
};

static const char hex[] = "0123456789ABCDEF";

static const char word_plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!*+-/";

static void
put_hex(struct buf *b, char c)
{
	unsigned char	byte = (unsigned char)c;

	buf_put(b, (const char[]){ '=', hex[byte >> 4], hex[byte & 15] }, 3);
}

static size_t
newline_at(const char *s)
{
	return s[0] == '\n' ? 1 : s[0] == '\r' && s[1] == '\n' ? 2 : 0;
}

/* White space at a line's end may be lost in transit, and SMTP treats a dot at a line's start specially. */
static bool
is_literal(const char *s, bool begins_line)
{
	if (*s == ' ' || *s == '\t')
		return s[1] != '\0' && newline_at(s + 1) == 0;
	return *s > ' ' && *s <= '~' && *s != '=' && !(*s == '.' && begins_line);
}

/* RFC 2045, 6.7. */
static void
put_quoted_printable(struct buf *b, const char *s)
{
	size_t	column = 0, n;

	for (; *s != '\0'; s += n) {
		n = newline_at(s);
		if (n > 0) {
			buf_puts(b, "\r\n");
			column = 0;
			continue;
		}
		n = 1;
		if (column + (is_literal(s, false) ? 1 : 3) > BODY_COLUMNS) {
			buf_puts(b, "=\r\n");
			column = 0;
		}
		if (is_literal(s, column == 0)) {
			buf_put(b, s, 1);
			column++;
		} else {
			put_hex(b, *s);
			column += 3;
		}
	}
}

static size_t
character_size(const char *s)
{
	size_t	n = 1;

	while (((unsigned char)s[n] & 0xc0) == 0x80)
		n++;
	return n;
}

/* RFC 2047: encoded words, one for each line, no character split between two. */
static void
put_words(struct buf *b, const char *s)
{
	size_t	column = 0;

	buf_puts(b, "=?UTF-8?Q?");
	while (*s != '\0') {
		size_t	n = character_size(s);

		if (column + 3 * n > WORD_COLUMNS) {
			buf_puts(b, "?=\r\n =?UTF-8?Q?");
			column = 0;
		}
		for (; n > 0; n--, s++) {
			bool	plain = strchr(word_plain, *s) != NULL || *s == ' ';

			if (plain)
				buf_put(b, *s == ' ' ? "_" : s, 1);
			else
				put_hex(b, *s);
			column += plain ? 1 : 3;
		}
	}
	buf_puts(b, "?=");
}

static bool
is_plain(const char *s)
{
	size_t	n = strlen(s);

	for (size_t i = 0; i < n; i++) {
		if (s[i] < ' ' || s[i] > '~')
			return false;
	}
	return n <= PLAIN_COLUMNS && strstr(s, "=?") == NULL;
}

static void
put_subject(struct buf *b, const char *s)
{
	buf_puts(b, "Subject: ");
	if (is_plain(s))
		buf_puts(b, s);
	else
		put_words(b, s);
	buf_puts(b, "\r\n");
}

/* A display name is quoted or encoded, so that no character in it acts as syntax. */
static void
put_from(struct buf *b, const char *name, const char *address)
{
	if (name[0] == '\0') {
		buf_printf(b, "From: %s\r\n", address);
		return;
	}
	buf_puts(b, "From: ");
	if (!is_plain(name))
		put_words(b, name);
	else {
		buf_puts(b, "\"");
		for (; *name != '\0'; name++)
			buf_printf(b, "%s%c", *name == '"' || *name == '\\' ? "\\" : "", *name);
		buf_puts(b, "\"");
	}
	buf_printf(b, "\r\n <%s>\r\n", address);
}

static void
put_part(struct buf *b, const char *boundary, const char *type, const char *text)
{
	buf_printf(b, "--%s\r\nContent-Type: %s; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
	    boundary, type);
	put_quoted_printable(b, text);
	buf_puts(b, "\r\n");
}

static char *
date_text(mem_ctx *mem, time_t when)
{
	char		s[64];
	struct tm	t;

	gmtime_r(&when, &t);
	strftime(s, sizeof(s), "%a, %d %b %Y %H:%M:%S +0000", &t);
	return mem_printf(mem, "%s", s);
}

char *
mail_address(mem_ctx *mem, const char *from)
{
	const char	*open = strrchr(from, '<');
	size_t		n = open != NULL ? strcspn(open + 1, ">") : strlen(from);
	char		*address = mem_copy(mem, open != NULL ? open + 1 : from, n);

	if (open != NULL && strcmp(open + 1 + n, ">") != 0)
		return NULL;
	return text_is_email(address) ? address : NULL;
}

static char *
display_name(mem_ctx *mem, const char *from)
{
	const char	*open = strrchr(from, '<');

	return text_trim(mem, mem_copy(mem, from, open != NULL ? (size_t)(open - from) : 0));
}

static bool
is_header_text(const char *s)
{
	return text_is_printable(s, strlen(s)) && text_is_utf8(s, strlen(s));
}

/* The boundary contains "=_", which quoted-printable text cannot, so no part contains the boundary. */
enum err
mail_compose(mem_ctx *mem, const struct mail *m, char **out)
{
	const char	*address = mail_address(mem, m->from), *name = display_name(mem, m->from);
	const char	*subject = text_trim(mem, m->subject), *boundary = mem_printf(mem, "=_%s", m->id);
	struct buf	b = { .ctx = mem };

	*out = NULL;
	if (address == NULL || !text_is_email(m->to) || !is_header_text(subject) || !is_header_text(name) ||
	    m->id[strspn(m->id, "0123456789abcdefghijklmnopqrstuvwxyz-")] != '\0')
		return ERR_INVALID;
	put_from(&b, name, address);
	buf_printf(&b, "To: %s\r\n", m->to);
	put_subject(&b, subject);
	buf_printf(&b, "Date: %s\r\nMessage-ID: <%s@%s>\r\n", date_text(mem, m->date), m->id, strchr(address, '@') + 1);
	buf_printf(&b, "Auto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
	    "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n", boundary);
	put_part(&b, boundary, "text/plain", m->text);
	put_part(&b, boundary, "text/html", m->html);
	buf_printf(&b, "--%s--\r\n", boundary);
	*out = b.data;
	return OK;
}
