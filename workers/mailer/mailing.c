/* mailing: sends the pending mails of the outbox. */
#include <string.h>

#include "help.h"
#include "hint.h"
#include "json.h"
#include "mail.h"
#include "mailer.h"
#include "outbox.h"
#include "pages.h"
#include "words.h"

enum { LEASE_SLACK = 10 };	/* seconds of a lease beyond the longest call to the mail server */

/* The page that a mail's link leads to; most sign in. */
static const char *
link_page(const char *template)
{
	static const char *const	own[] = { "register", "reset" };

	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
		if (strcmp(template, own[i]) == 0)
			return own[i];
	}
	return "signin";
}

/* language: one of the site's, since links have it. A stored one may have left the configuration. */
static struct json_object *
mail_doc(struct mailer *mailer, mem_ctx *mem, const struct outbox_mail *m, const char *language)
{
	struct json_object	*doc = json_new(mem);

	json_object_object_foreach(m->data, name, value)
		json_object_object_add(doc, name, json_object_get(value));
	json_put(doc, "site_name", mailer->config->site.name);
	json_put(doc, "site_url", mailer->config->site.url);
	json_put(doc, "language", language);
	help_put(mem, mailer->config, doc);
	json_put(doc, "imprint", mailer->config->site.imprint);
	json_put(doc, "subject", mem_printf(mem, "%s_subject", m->template));
	json_put(doc, "lead", mem_printf(mem, "%s_lead", m->template));
	json_put(doc, "when", mem_printf(mem, "%s_when", m->template));
	json_put(doc, "next", mem_printf(mem, "%s_next", m->template));
	json_put(doc, "billing", mem_printf(mem, "%s/%s/settings/billing", mailer->config->site.url, language));
	json_put(doc, "sessions", mem_printf(mem, "%s/%s/settings/sessions", mailer->config->site.url, language));
	json_put(doc, "account", mem_printf(mem, "%s/%s/settings/account", mailer->config->site.url, language));
	json_put(doc, "two_factor", mem_printf(mem, "%s/%s/settings/two-factor", mailer->config->site.url, language));
	json_put(doc, "signup", mem_printf(mem, "%s/%s/signup", mailer->config->site.url, language));
	json_put(doc, "again", mem_printf(mem, "%s/%s/signin", mailer->config->site.url, language));
	json_put(doc, "checkout", mem_printf(mem, "%s/%s/signup/continue?t=%s", mailer->config->site.url, language,
	    json_text(m->data, "/token")));
	json_put(doc, "invitation", mem_printf(mem, "%s/%s/invitation?t=%s", mailer->config->site.url, language,
	    json_text(m->data, "/token")));
	json_put(doc, "new_address", mem_printf(mem, "%s/%s/settings/email/link?t=%s", mailer->config->site.url, language,
	    json_text(m->data, "/token")));
	json_put(doc, "undo", mem_printf(mem, "%s/%s/settings/email/undo?t=%s", mailer->config->site.url, language,
	    json_text(m->data, "/token")));
	json_put(doc, "connect", mem_printf(mem, "%s/%s/signin/connect?t=%s", mailer->config->site.url, language,
	    json_text(m->data, "/token")));
	json_put(doc, "register", mem_printf(mem, "%s/%s/register", mailer->config->site.url, language));
	json_put(doc, "reset", mem_printf(mem, "%s/%s/reset", mailer->config->site.url, language));
	json_put(doc, "link", mem_printf(mem, "%s/%s/%s/link?t=%s", mailer->config->site.url, language,
	    link_page(m->template), json_text(m->data, "/token")));
	return doc;
}

/* The mails whose names begin so share one template, which shows texts of their own. */
static const char *const families[] = { "factor", "notice", "safety", "suspension", NULL };

static const char *
template_of(const struct outbox_mail *m)
{
	for (size_t i = 0; families[i] != NULL; i++) {
		size_t	n = strlen(families[i]);

		if (strncmp(m->template, families[i], n) == 0 && m->template[n] == '_')
			return families[i];
	}
	return m->template;
}

static enum err
mail_render(struct mailer *mailer, mem_ctx *mem, const struct outbox_mail *m, char **message)
{
	const char		*language = pages_language(mailer->pages, m->language)->code;
	struct json_object	*doc = mail_doc(mailer, mem, m, language);
	const char		*name = template_of(m);
	char			*subject, *text, *html;

	TRY(words_add(mailer->words, language, doc));
	TRY(pages_render(mailer->pages, mem, language, mem_printf(mem, "%s.subject", name), doc, &subject));
	TRY(pages_render(mailer->pages, mem, language, mem_printf(mem, "%s.txt", name), doc, &text));
	TRY(pages_render(mailer->pages, mem, language, mem_printf(mem, "%s.html", name), doc, &html));
	return mail_compose(mem, &(struct mail){
		.id = m->id, .from = mailer->config->mail.from, .to = m->recipient, .subject = subject,
		.text = text, .html = html, .date = time(NULL),
	}, message);
}

/*
 * sent: what came of it. While the database is away, waits for it here: when the lease ends unreported, the mail is
 * sent again, even one that was refused for good.
 */
static enum err
mail_report(struct mailer *mailer, struct db_service *me, const struct outbox_mail *m, enum err sent,
    const struct smtp_failure *why)
{
	enum err	e;

	for (int i = 0; i < LEASE_SLACK; i++) {
		e = sent == OK ? outbox_sent(me, m) : outbox_failed(me, m, why->words, why->cause, sent == ERR_INVALID);
		if ((e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN) || !thread_pool_pause(mailer->threads, 500))
			break;
	}
	return e;
}

enum err
mail_task(void *arg, mem_ctx *mem, bool *found)
{
	struct mailer		*mailer = arg;
	struct db_service	*me = db_as_service(mem, mailer->db);
	int			lease = mailer->config->mail.timeout_ms / 1000 + LEASE_SLACK;
	struct smtp_failure	why = { "cannot be made", NULL };
	struct outbox_mail	m;
	char			*message;
	enum err		e;

	TRY(outbox_claim(me, lease, &m, found));
	if (m.id == NULL)
		return OK;
	e = mail_render(mailer, mem, &m, &message);
	if (e == OK)
		e = smtp_send(mailer->smtp, mem, mail_address(mem, mailer->config->mail.from), m.recipient, message, &why);
	return mail_report(mailer, me, &m, e, &why);
}

static void
hinted(void *arg)
{
	struct mailer	*mailer = arg;

	thread_pool_wake(mailer->threads, mail_task);
}

/* Without hints mail_task still runs at its interval, so the only error is a database that cannot be reached. */
enum err
listen_task(void *arg, mem_ctx *mem, bool *found)
{
	struct mailer	*mailer = arg;

	(void)mem;
	*found = hint_listen(mailer->db, HINT_MAIL, thread_pool_stop_fd(mailer->threads), hinted, mailer) == OK;
	return db_ping(mailer->db);
}
