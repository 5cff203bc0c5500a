/*
 * mailer: sends the outbox. It alone reads mails and makes the links in them; it has no API key and serves no request.
 * Any number of processes may run side by side.
 */
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "log.h"
#include "mailer.h"
#include "pages.h"
#include "resource.h"
#include "sandbox.h"
#include "worker.h"

enum {
	CONNECTIONS	= 3,		/* one for each task */
	LISTEN_MS	= 5 * 1000,	/* before listening is tried again */
	END_SOFT_MS	= 1000,		/* for a mail that is being sent */
	END_HARD_MS	= 1200
};

/* The mails' templates and texts. A resource, so that --check reads them too. */
static enum err
mail_pages_open(mem_ctx *ctx, struct app *app)
{
	return pages_load(ctx, app->config, "mail", &app->pages);
}

static const struct resource	mail_pages = { "pages", NEED_SITE, mail_pages_open, NULL, NULL, NULL };

/* The host of site.url; an IPv4 address in brackets, as SMTP has it. */
static const char *
site_host(mem_ctx *ctx, const char *url)
{
	const char	*host = strstr(url, "://") + strlen("://");
	size_t		n = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
	const char	*name = mem_copy(ctx, host, n);

	return strspn(name, "0123456789.") == n ? mem_printf(ctx, "[%s]", name) : name;
}

static void
mailer_open(mem_ctx *ctx, const struct app *app, struct mailer *m)
{
	const struct config	*c = app->config;

	*m = (struct mailer){ .config = c, .db = app->db, .pages = app->pages, .words = app->words };
	m->smtp = smtp_open(ctx, &(struct smtp_options){
		.url = c->mail.url, .helo = *c->mail.helo ? c->mail.helo : site_host(ctx, c->site.url), .user = c->mail.user,
		.password = c->mail.password, .starttls = c->mail.starttls, .timeout_ms = c->mail.timeout_ms,
	});
}

/* A mail is cut after a second. It is sent when its lease ends. */
static void
mailer_run(mem_ctx *ctx, struct mailer *m)
{
	m->threads = thread_pool_new(ctx);
	thread_pool_add(m->threads, 1, mail_task, m, m->config->mail.poll_ms);
	if (*m->config->ops.alert_to)
		thread_pool_add(m->threads, 1, alert_task, m, m->config->mail.poll_ms);
	if (m->config->database.prepared)	/* a pooler in transaction mode, for which it is off, cannot listen */
		thread_pool_add(m->threads, 1, listen_task, m, LISTEN_MS);
	log_line(LOG_INFO, "started", LOG_INT("threads", 1));
	thread_pool_run(m->threads);
	if (!thread_pool_has_ended(m->threads, END_SOFT_MS)) {
		smtp_stop(m->smtp);
		if (!thread_pool_has_ended(m->threads, END_HARD_MS))
			_exit(0);
	}
}

int
main(int argc, char **argv)
{
	static const struct resource *const	resources[] = { &resource_database, &mail_pages, &resource_words, NULL };
	static const struct worker		me = {
		.name = "mailer", .about = "Sends the mails that wait in the database. Runs until SIGTERM.",
		.resources = resources, .needs = NEED_MAIL, .pool = CONNECTIONS,
	};
	struct worker_options	o;
	struct app		app;
	struct mailer		m;
	mem_ctx			*ctx;
	int			code;

	if (!worker_begin(&me, argc, argv, &ctx, &o, &app, &code))
		return code;
	mailer_open(ctx, &app, &m);
	if (sandbox_enter(ctx, &app) != OK)
		return EX_OSERR;
	mailer_run(ctx, &m);
	return 0;
}
