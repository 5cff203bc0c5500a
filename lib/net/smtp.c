#include "smtp.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, TOKEN_MIN = 40 };

/* The enhanced status codes (RFC 3463) by which a server says that the recipient cannot be reached. */
static const struct recipient_code {
	const char	*code;
	const char	*except;	/* the command in answer to which it is about the sender */
} recipient_codes[] = {
	{ "5.1.0", "MAIL" }, { "5.1.1", NULL }, { "5.1.2", NULL }, { "5.1.3", NULL }, { "5.1.4", NULL },
	{ "5.1.6", NULL }, { "5.1.10", NULL }, { "5.2.1", NULL }, { 0 }
};

static const char *const	verbs[] = { "EHLO", "HELO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", NULL };

struct smtp {
	struct smtp_options	options;
	const char		*url;
	CURL			*curl;
	atomic_bool		stopped;
};

struct upload {
	const char	*at;
	size_t		left;
};

/* What was said last: the client's command, and the server's reply to it. */
struct talk {
	const char	*verb;
	char		reply[400];	/* its lines as one, printable ASCII */
	bool		continues;	/* the reply has another line */
	bool		over;		/* QUIT was sent: what comes then is about no mail */
};

static void
smtp_close(void *thing)
{
	curl_easy_cleanup(thing);
}

struct smtp *
smtp_open(mem_ctx *ctx, const struct smtp_options *options)
{
	struct smtp	*s = talloc_zero(ctx, struct smtp);

	if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK || (s->curl = curl_easy_init()) == NULL)
		abort();
	mem_hang(s, s->curl, smtp_close);
	s->options = *options;
	s->url = mem_printf(s, "%s/%s", options->url, options->helo);	/* libcurl greets with the path */
	return s;
}

void
smtp_stop(struct smtp *s)
{
	atomic_store(&s->stopped, true);
}

static size_t
upload_read(char *into, size_t size, size_t n, void *arg)
{
	struct upload	*u = arg;
	size_t		now = size * n < u->left ? size * n : u->left;

	memcpy(into, u->at, now);
	u->at += now;
	u->left -= now;
	return now;
}

static int
progress(void *arg, curl_off_t a, curl_off_t b, curl_off_t c, curl_off_t d)
{
	(void)a, (void)b, (void)c, (void)d;
	return atomic_load(&((struct smtp *)arg)->stopped);
}

static void
smtp_rules(struct smtp *s)
{
	CURL	*c = s->curl;

	curl_easy_reset(c);
	curl_easy_setopt(c, CURLOPT_URL, s->url);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_USE_SSL, (long)(s->options.starttls ? CURLUSESSL_ALL : CURLUSESSL_NONE));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, (long)s->options.timeout_ms);
	curl_easy_setopt(c, CURLOPT_NOPROGRESS, 0L);
	curl_easy_setopt(c, CURLOPT_XFERINFOFUNCTION, progress);
	curl_easy_setopt(c, CURLOPT_XFERINFODATA, s);
	if (s->options.user != NULL && s->options.user[0] != '\0') {
		curl_easy_setopt(c, CURLOPT_USERNAME, s->options.user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, s->options.password);
	}
}

/* Other lines that the client sends, say of a login, are not looked at: they may hold the password. */
static void
talk_sent(struct talk *t, const char *line, size_t n)
{
	t->over |= n >= 4 && strncmp(line, "QUIT", 4) == 0;
	for (const char *const *verb = verbs; *verb; verb++) {
		size_t	length = strlen(*verb);

		if (n > length && strncmp(line, *verb, length) == 0 && (line[length] == ' ' || line[length] == '\r'))
			t->verb = *verb;
	}
}

static void
talk_heard(struct talk *t, const char *line, size_t n)
{
	size_t	had = t->continues ? strlen(t->reply) : 0;
	size_t	skip = t->continues && n > 4 ? 4 : 0;		/* "250-" */

	if (t->over)
		return;
	t->continues = n > 3 && line[3] == '-';
	for (size_t i = skip; i < n && line[i] != '\r' && line[i] != '\n' && had + 1 < sizeof(t->reply); i++)
		t->reply[had++] = i == 3 ? ' ' : line[i] < ' ' || line[i] > '~' ? '?' : line[i];
	if (t->continues && had + 1 < sizeof(t->reply))
		t->reply[had++] = ' ';
	t->reply[had] = '\0';
}

static int
overhear(CURL *c, curl_infotype kind, char *line, size_t n, void *arg)
{
	(void)c;
	if (kind == CURLINFO_HEADER_OUT)
		talk_sent(arg, line, n);
	else if (kind == CURLINFO_HEADER_IN)
		talk_heard(arg, line, n);
	return 0;
}

/* The enhanced status code after the reply's first: "5.1.1", or "". */
static const char *
talk_status(const struct talk *t, mem_ctx *mem)
{
	const char	*at = strlen(t->reply) > 4 ? t->reply + 4 : "";
	size_t		n = strspn(at, "0123456789.");

	return n >= 5 && at[0] == t->reply[0] && at[1] == '.' ? mem_copy(mem, at, n) : "";
}

static bool
talk_blames_recipient(const struct talk *t, const char *status)
{
	for (const struct recipient_code *r = recipient_codes; r->code; r++) {
		if (strcmp(r->code, status) == 0)
			return r->except == NULL || strcmp(r->except, t->verb) != 0;
	}
	return false;
}

/* The reply without what a server may quote of the mail: addresses of pages, and tokens. */
static const char *
talk_words(const struct talk *t, mem_ctx *mem)
{
	char	*words = mem_copy(mem, t->reply, strlen(t->reply)), *rest = words;
	char	*said = mem_printf(mem, "%s:", t->verb);

	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		said = mem_printf(mem, "%s %s", said, strstr(word, "://") ||
		    (strlen(word) >= TOKEN_MIN && strchr(word, '@') == NULL) ? "***" : word);
	return said;
}

/*
 * A reply that begins with 5 is about this mail only if it names the recipient. Any other is about us (our name, our
 * login, the sender, relaying), as is a reply before the mail was begun, whatever it begins with.
 */
static enum err
smtp_verdict(const struct talk *t, mem_ctx *mem, CURLcode code, struct smtp_failure *why)
{
	const char	*status = talk_status(t, mem);
	bool		begun = strcmp(t->verb, "MAIL") == 0 || strcmp(t->verb, "RCPT") == 0 || strcmp(t->verb, "DATA") == 0;

	if (code == CURLE_OK)
		return OK;
	if (t->reply[0] != '4' && t->reply[0] != '5') {
		*why = (struct smtp_failure){ mem_printf(mem, "%s%s", curl_easy_strerror(code),
		    code == CURLE_PEER_FAILED_VERIFICATION ?
		    ": the server's certificate must be for the host in mail.url, and by an authority trusted here" : ""),
		    SMTP_UNREACHABLE };
		return ERR_UNAVAILABLE;
	}
	why->words = talk_words(t, mem);
	why->cause = t->reply[0] == '4' ? begun ? NULL : SMTP_UNREACHABLE :
	    mem_printf(mem, "%s %.3s%s%s", t->verb, t->reply, *status ? " " : "", status);
	if (t->reply[0] == '4' || !talk_blames_recipient(t, status))
		return ERR_UNAVAILABLE;
	why->cause = NULL;
	return ERR_INVALID;
}

static void
slist_release(void *list)
{
	curl_slist_free_all(list);
}

enum err
smtp_send(struct smtp *s, mem_ctx *mem, const char *from, const char *to, const char *message,
    struct smtp_failure *why)
{
	struct upload		u = { message, strlen(message) };
	struct talk		talk = { .verb = "greeting" };
	struct curl_slist	*rcpt = curl_slist_append(NULL, mem_printf(mem, "<%s>", to));

	mem_hang(mem, rcpt, slist_release);
	smtp_rules(s);
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, mem_printf(mem, "<%s>", from));
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, rcpt);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u.left);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, upload_read);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, &u);
	curl_easy_setopt(s->curl, CURLOPT_VERBOSE, 1L);		/* goes to overhear() alone */
	curl_easy_setopt(s->curl, CURLOPT_DEBUGFUNCTION, overhear);
	curl_easy_setopt(s->curl, CURLOPT_DEBUGDATA, &talk);
	return smtp_verdict(&talk, mem, curl_easy_perform(s->curl), why);
}
