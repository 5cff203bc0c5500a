/*
 * jobs: makes dirty objects clean, sends what waits in the outbox, finds what webhooks missed, keeps the house. Any number
 * may run side by side.
 */
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

#include "crew.h"
#include "hint.h"
#include "json.h"
#include "log.h"
#include "mail.h"
#include "outbox.h"
#include "reconcile.h"
#include "smtp.h"
#include "stamp.h"
#include "sync.h"
#include "worker.h"

enum {
	HOUSE_MS	= 3600 * 1000,
	GAP_LOOK_MS	= 10 * 1000,	/* how often to ask whether a list is due, at most */
	LISTEN_MS	= 5 * 1000,	/* until the next try when listening alone fails */
	ACCOUNT_MS	= 1000,		/* how often to ask for the account until it is known, and to look after the key */
	TURN_MS		= 20,		/* how often those who wait for that look up */
	LEASE_SLACK	= 10,		/* seconds beyond the longest call to the other side */
	END_SOFT_MS	= 1000,		/* for a mail that is being sent */
	END_HARD_MS	= 1200
};

/* What is known of the key's account: UNKNOWN while Stripe is away, which must not keep sign-in mails back. */
enum account { ACCOUNT_UNASKED, ACCOUNT_UNKNOWN, ACCOUNT_OURS };

struct jobs {
	const struct config	*config;
	const struct pages	*pages;
	struct db		*db;
	struct stripe		*stripe;
	struct smtp		*smtp;
	struct crew		*crew;
	atomic_int		account;	/* of enum account; only ever grows */
	atomic_int		code;		/* exit status */
	bool			key_is_well;	/* as far as the operator was told */
};

/* Nothing is claimed before that much is known. False: it is time to end. */
static bool
account_await(struct jobs *j, enum account least)
{
	while (atomic_load(&j->account) < (int)least) {
		if (!crew_pause(j->crew, TURN_MS))
			return false;
	}
	return true;
}

/* What another account's key fetches must not be written down here, so it ends us all. */
static enum err
account_ask(struct jobs *j, mem_ctx *mem)
{
	const char	*account, *why;
	enum err	e;

	if (!stripe_is_up(j->stripe))
		return OK;
	TRY(db_ping(j->db));
	if (stamp_ask(j->stripe, mem, &account) != OK) {
		if (atomic_load(&j->account) == ACCOUNT_UNASKED)
			atomic_store(&j->account, ACCOUNT_UNKNOWN);
		return OK;
	}
	e = stamp_match(db_as_service(mem, j->db), mem, account, true, &why);
	if (e == OK)
		atomic_store(&j->account, ACCOUNT_OURS);
	if (e != ERR_CONFLICT)
		return e;
	log_line(LOG_ERROR, "account", LOG_TEXT("reason", why));
	atomic_store(&j->code, EX_CONFIG);
	kill(getpid(), SIGTERM);
	return OK;
}

/* Again and again while anything is refused, for the operator may have cleared the alert; once when nothing is any more. */
static enum err
refusals_tell(struct jobs *j, mem_ctx *mem)
{
	struct json_object	*refused = stripe_refused(j->stripe, mem), *none;
	bool			well = json_object_array_length(refused) == 0;

	if (well && (j->key_is_well || atomic_load(&j->account) != ACCOUNT_OURS))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), &none, "service.watch_key($1::jsonb)", ARGS(TEXT(service_jsonb(refused)))));
	j->key_is_well = well;
	return OK;
}

/* A key that Stripe does not know any more is tried until it does: then all goes on by itself. */
static enum err
account_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)found;
	if (atomic_load(&j->account) != ACCOUNT_OURS || !stripe_knows_key(j->stripe))
		TRY(account_ask(j, mem));
	return refusals_tell(j, mem);
}

static struct json_object *
mail_doc(struct jobs *j, mem_ctx *mem, const struct outbox_mail *m)
{
	struct json_object	*doc = json_new(mem);

	json_object_object_foreach(m->data, name, value)
		json_object_object_add(doc, name, json_object_get(value));
	json_put(doc, "site_name", j->config->site.name);
	json_put(doc, "site_url", j->config->site.url);
	json_put(doc, "language", m->language);
	json_put(doc, "subject", mem_printf(mem, "%s_subject", m->template));
	json_put(doc, "lead", mem_printf(mem, "%s_lead", m->template));
	json_put(doc, "when", mem_printf(mem, "%s_when", m->template));
	json_put(doc, "billing", mem_printf(mem, "%s/settings/billing", j->config->site.url));
	json_put(doc, "signup", mem_printf(mem, "%s/%s/signup", j->config->site.url, m->language));
	json_put(doc, "again", mem_printf(mem, "%s/%s/signin", j->config->site.url, m->language));
	json_put(doc, "link", mem_printf(mem, "%s/%s/signin/link?t=%s", j->config->site.url, m->language,
	    json_text(m->data, "/token")));
	return doc;
}

static enum err
mail_render(struct jobs *j, mem_ctx *mem, const struct outbox_mail *m, char **message)
{
	struct json_object	*doc = mail_doc(j, mem, m);
	bool			notice = strncmp(m->template, "notice_", 7) == 0;	/* all of them are one template */
	const char		*name = mem_printf(mem, "mail/%s", notice ? "notice" : m->template);
	char			*subject, *text, *html;

	TRY(page_text(j->pages, mem, m->language, mem_printf(mem, "%s.subject", name), doc, &subject));
	TRY(page_text(j->pages, mem, m->language, mem_printf(mem, "%s.txt", name), doc, &text));
	TRY(page_text(j->pages, mem, m->language, mem_printf(mem, "%s.html", name), doc, &html));
	return mail_compose(mem, &(struct mail){
		.id = m->id, .from = j->config->mail.from, .to = m->recipient, .subject = subject,
		.text = text, .html = html, .date = time(NULL),
	}, message);
}

/* The mail is out: rather wait here for the database than have it sent again when the lease ends. */
static enum err
mail_report(struct jobs *j, struct db_service *me, const struct outbox_mail *m)
{
	enum err	e;

	for (int i = 0; i < LEASE_SLACK; i++) {
		e = outbox_sent(me, m);
		if ((e != ERR_UNAVAILABLE && e != ERR_UNCERTAIN) || !crew_pause(j->crew, 500))
			break;
	}
	return e;
}

static enum err
mail_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct db_service	*me = db_as_service(mem, j->db);
	int			lease = j->config->mail.timeout_ms / 1000 + LEASE_SLACK;
	const char		*why = "cannot be made";
	struct outbox_mail	m;
	char			*message;
	enum err		e;

	if (!account_await(j, ACCOUNT_UNKNOWN))
		return OK;
	TRY(outbox_claim(me, mem, lease, &m, found));
	if (!*found)
		return OK;
	e = mail_render(j, mem, &m, &message);
	if (e == OK)
		e = smtp_send(j->smtp, mem, mail_address(mem, j->config->mail.from), m.recipient, message, &why);
	return e == OK ? mail_report(j, me, &m) : outbox_failed(me, &m, why, e == ERR_INVALID);
}

/*
 * While Stripe is taken to be down nothing is claimed, so that no object pays for it with its tries. What was written down
 * may be worth a mail.
 */
static enum err
sync_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;
	int		longest_ms = SYNC_CALLS * (2 * j->config->stripe.timeout_ms + STRIPE_SLACK_MS);

	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	TRY(sync_one(db_as_service(mem, j->db), mem, j->stripe,
	    (struct sync_terms){ longest_ms / 1000 + LEASE_SLACK, j->config->jobs.settle_ms }, found));
	if (*found)
		crew_wake(j->crew, mail_piece);
	return OK;
}

static void
hinted(void *arg)
{
	struct jobs	*j = arg;

	crew_wake(j->crew, sync_piece);
}

/* Without hints the others still look. So this only tells whether the database is there at all. */
static enum err
listen_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs	*j = arg;

	(void)mem;
	*found = hint_listen(j->db, crew_stop_fd(j->crew), hinted, j) == OK;
	return db_ping(j->db);
}

static enum err
reconcile_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct reconcile	r = { .db = j->db, .stripe = j->stripe };

	(void)mem;
	if (!account_await(j, ACCOUNT_OURS) || !stripe_is_up(j->stripe))
		return OK;
	return reconcile_due(&r, j->config->jobs.gap_seconds, j->config->jobs.reconcile_hour, found);
}

/* In small batches, until one finds nothing to do. */
static enum err
house_piece(void *arg, mem_ctx *mem, bool *found)
{
	struct jobs		*j = arg;
	struct json_object	*done;

	if (!account_await(j, ACCOUNT_UNKNOWN))
		return OK;
	TRY(db_service(db_as_service(mem, j->db), &done, "service.keep_house($1::int)",
	    ARGS(TEXT(mem_printf(mem, "%d", j->config->jobs.keep_days)))));
	if (!json_object_is_type(done, json_type_object))
		return OK;
	json_object_object_foreach(done, what, n) {
		(void)what;
		*found = *found || json_object_get_int64(n) > 0;
	}
	if (*found)
		log_line(LOG_INFO, "house", LOG_TEXT("done", json_object_to_json_string(done)));
	return OK;
}

static enum err
jobs_open(mem_ctx *ctx, const char *path, struct jobs *j)
{
	struct config	*c;

	TRY(config_load(ctx, path, NEED_SITE | NEED_DATABASE | NEED_STRIPE | NEED_MAIL | NEED_JOBS, &c));
	TRY(pages_load(ctx, c, &j->pages));
	j->config = c;
	j->db = db_open(ctx, &(struct db_options){
		.conninfo = c->database.conninfo, .role = "tollgate_jobs", .pool = c->jobs.threads + 4,
		.wait_ms = c->database.wait_ms, .timeout_ms = c->database.timeout_ms, .prepared = c->database.prepared,
		.environment = c->site.environment,
	});
	j->stripe = stripe_open(ctx, &(struct stripe_options){
		.api_url = c->stripe.api_url, .key = c->stripe.key, .version = c->stripe.version,
		.portal_configuration = c->stripe.portal_configuration, .timeout_ms = c->stripe.timeout_ms,
		.rate = c->stripe.rate,
	});
	j->smtp = smtp_open(ctx, &(struct smtp_options){
		.url = c->mail.url, .user = c->mail.user, .password = c->mail.password, .starttls = c->mail.starttls,
		.timeout_ms = c->mail.timeout_ms,
	});
	return OK;
}

/* Calls to Stripe are cut at once and a mail after a second. What still hangs then is left to its lease. */
static void
jobs_run(mem_ctx *ctx, struct jobs *j)
{
	int	look_ms = j->config->jobs.gap_seconds * 500;

	j->crew = crew_new(ctx);
	crew_add(j->crew, 1, account_piece, j, ACCOUNT_MS);
	crew_add(j->crew, (unsigned)j->config->jobs.threads, sync_piece, j, j->config->jobs.poll_ms);
	crew_add(j->crew, 1, mail_piece, j, j->config->jobs.poll_ms);
	crew_add(j->crew, 1, reconcile_piece, j, look_ms < GAP_LOOK_MS ? look_ms : GAP_LOOK_MS);
	crew_add(j->crew, 1, house_piece, j, HOUSE_MS);
	if (j->config->database.prepared)	/* else through a pooler, where nobody can listen */
		crew_add(j->crew, 1, listen_piece, j, LISTEN_MS);
	log_line(LOG_INFO, "started", LOG_INT("threads", j->config->jobs.threads));
	crew_work(j->crew);
	stripe_stop(j->stripe);
	if (!crew_has_ended(j->crew, END_SOFT_MS)) {
		smtp_stop(j->smtp);
		if (!crew_has_ended(j->crew, END_HARD_MS))
			_exit(atomic_load(&j->code));
	}
}

int
main(int argc, char **argv)
{
	static const struct worker	me = {
		.name = "jobs",
		.about = "Fetches from Stripe what webhooks marked, writes it down, sends mails. Runs until SIGTERM.",
	};
	struct worker_options	o;
	struct jobs		j = { 0 };
	const char		*why;
	mem_ctx			*ctx;
	int			code;

	if (!worker_begin(&me, argc, argv, &o, &code))
		return code;
	ctx = mem_new();
	if (jobs_open(ctx, o.config, &j) != OK)
		return EX_CONFIG;
	if (o.check) {
		printf("jobs: %s: no fault found\n", o.config);
		return 0;
	}
	if (db_admit(j.db, ctx, &why) == ERR_FORBIDDEN) {
		fprintf(stderr, "jobs: %s: %s\n", o.config, why);
		return EX_CONFIG;
	}
	jobs_run(ctx, &j);
	return atomic_load(&j.code);
}
