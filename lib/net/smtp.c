#include "smtp.h"

#include <curl/curl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { CONNECT_MS = 5000, LOGIN_FIRST = 530 };

struct smtp {
	struct smtp_options	options;
	CURL			*curl;
	atomic_bool		stopped;
};

struct upload {
	const char	*at;
	size_t		left;
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
	curl_easy_setopt(c, CURLOPT_URL, s->options.url);
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

/*
 * A refused connection, login or STARTTLS, or a missing login (530), is a fault of the server or the configuration, not
 * of this message, even with a 5xx. A refused greeting and a refused message have one code; begun tells which it is.
 */
static enum err
smtp_verdict(CURLcode code, long reply, bool begun)
{
	if (code == CURLE_OK)
		return OK;
	if (code == CURLE_LOGIN_DENIED || code == CURLE_USE_SSL_FAILED || code == CURLE_REMOTE_ACCESS_DENIED ||
	    reply == LOGIN_FIRST || (code == CURLE_WEIRD_SERVER_REPLY && !begun))
		return ERR_UNAVAILABLE;
	return reply >= 500 && reply < 600 ? ERR_INVALID : ERR_UNAVAILABLE;
}

static void
slist_release(void *list)
{
	curl_slist_free_all(list);
}

enum err
smtp_send(struct smtp *s, mem_ctx *mem, const char *from, const char *to, const char *message, const char **why)
{
	struct upload		u = { message, strlen(message) };
	struct curl_slist	*rcpt = curl_slist_append(NULL, mem_printf(mem, "<%s>", to));
	CURLcode		code;
	long			reply = 0;

	mem_hang(mem, rcpt, slist_release);
	smtp_rules(s);
	curl_easy_setopt(s->curl, CURLOPT_MAIL_FROM, mem_printf(mem, "<%s>", from));
	curl_easy_setopt(s->curl, CURLOPT_MAIL_RCPT, rcpt);
	curl_easy_setopt(s->curl, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(s->curl, CURLOPT_INFILESIZE_LARGE, (curl_off_t)u.left);
	curl_easy_setopt(s->curl, CURLOPT_READFUNCTION, upload_read);
	curl_easy_setopt(s->curl, CURLOPT_READDATA, &u);
	code = curl_easy_perform(s->curl);
	curl_easy_getinfo(s->curl, CURLINFO_RESPONSE_CODE, &reply);
	*why = mem_printf(mem, "%s (reply %ld)%s", curl_easy_strerror(code), reply, code == CURLE_PEER_FAILED_VERIFICATION ?
	    ": the server's certificate must be for the host in mail.url, and by an authority trusted here" : "");
	return smtp_verdict(code, reply, u.at != message);
}
