/* sync: an object is fetched and written down, and a reply of the database that is lost is not the object's fault. */
#include "upstream.h"

#include "cluster.h"
#include "log.h"
#include "sync.h"

/* Stand-ins: one due object, and how often it was written and reported as failed. held false: its claim is gone. */
static const char setup_sql[] =
    "create schema service; grant usage on schema service to tollgate_test;"
    "create table t.due (kind text, claims int default 0, writes int default 0, doc jsonb, fails int default 0,"
    "  why text, held_for int default 9);"
    "create function t.hold(n int) returns void language plpgsql as $$ begin"
    "  if n >= (select held_for from t.due) then raise exception 'not held' using errcode = 'TG409'; end if; end $$;"
    "create function service.claim_object(lease int, settle int) returns jsonb language sql security definer as $$"
    "  update t.due set claims = claims + 1 where claims = 0 returning jsonb_build_object('claim', gen_random_uuid(),"
    "    'kind', kind, 'id', kind || '_1', 'version', 1, 'attempts', 0) $$;"
    "create function t.write(d jsonb) returns jsonb language plpgsql as $$ begin"
    "  perform t.hold(writes) from t.due; update t.due set writes = writes + 1, doc = d; return '{}'; end $$;"
    "create function service.write_customer(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.write_subscription(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.write_preview(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.write_expiry(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.write_cancellation(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.write_erasure(c uuid, k text, i text, v bigint, d jsonb) returns jsonb language sql"
    "  security definer as 'select t.write(d)';"
    "create function service.object_gone(c uuid, k text, i text, v bigint) returns jsonb language sql"
    "  security definer as $$ select t.write('{\"gone\": true}') $$;"
    "create function service.fail_object(c uuid, k text, i text, e text) returns jsonb language plpgsql"
    "  security definer as $$ begin perform t.hold(fails) from t.due;"
    "  update t.due set fails = fails + 1, why = e; return '{}'; end $$;";

#define STATE "select concat_ws(' ', 'writes', writes, 'fails', fails, why) from t.due"
#define SUBSCRIPTION ANSWER("200 OK", "{\"id\":\"subscription_1\"," \
	"\"items\":{\"data\":[{\"id\":\"si_2\"}],\"has_more\":true}}")
#define PAGE(id, more) ANSWER("200 OK", "{\"data\":[{\"id\":\"" id "\"}],\"has_more\":" more "}")
#define BAD ANSWER("400 Bad Request", "{\"error\":{\"type\":\"invalid_request_error\"}}")
#define GONE ANSWER("404 Not Found", "{\"error\":{\"code\":\"resource_missing\"}}")

static int
group_setup(void **state)
{
	(void)state;
	return cluster_setup(setup_sql);
}

/* What is due, which of its replies are lost, and what sync_one() must then answer. */
struct play {
	const char	*kind;
	const char	*lose_sql;
	int		lose;
	int		held_for;	/* writes or reports until the claim is gone; 0: it stays */
	int		lease_seconds;
	enum err	err;
	const char	*says;		/* the SQLSTATE in place of a lost reply, or NULL */
};

static void
play_run(struct world *w, const struct play *p)
{
	struct proxy		proxy;
	struct db		*db;
	bool			found = false;

	cluster_ask(&cluster, mem_printf(w->mem, "truncate t.due; insert into t.due (kind, held_for) values ('%s', %d)",
	    p->kind, p->held_for > 0 ? p->held_for : 9));
	proxy_start(&proxy, &cluster);
	proxy.lose_sql = p->lose_sql;
	proxy.lose = p->lose;
	if (p->says != NULL)
		proxy_say(&proxy, w->mem, "ERROR", p->says);
	db = db_open(w->mem, &(struct db_options){ .conninfo = mem_printf(w->mem, "host=%s dbname=postgres", proxy.dir),
	    .role = "tollgate_test", .pool = 1, .wait_ms = 500, .timeout_ms = 2000, .prepared = true });
	assert_int_equal(sync_one(db_as_service(w->mem, db), w->mem, w->stripe,
	    (struct sync_terms){ p->lease_seconds, 0 }, &found), p->err);
	assert_int_equal(found, p->err == OK);
	assert_int_equal(proxy.lose, 0);
	talloc_free(db);
	proxy_stop(&proxy);
}

static void
test_f88_a_lost_reply_to_a_write_is_asked_for_again(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	play_run(&w, &(struct play){ "customer", "service.write_", 2, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 3 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select doc->>'id' from t.due"), "x_1");
	end(&w, 1);
}

/* Out of connections for a moment: until the write is stored, or its tries are used up, the object stays claimed. */
static void
test_f89_a_write_waits_for_a_database_that_is_away(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	play_run(&w, &(struct play){ "customer", "service.write_", 2, 0, 60, OK, "53300" });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 3 fails 0");
	end(&w, 1);
}

static void
test_f88_so_is_one_to_the_news_that_the_object_is_gone(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, GONE);
	play_run(&w, &(struct play){ "customer", "service.object_gone", 1, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 2 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select doc->>'gone' from t.due"), "true");
	end(&w, 1);
}

/* Unreported, the claim would count as a try once its lease ends. */
static void
test_f88_so_is_one_to_the_report_of_a_failure(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, BAD);
	play_run(&w, &(struct play){ "customer", "service.fail_object", 1, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 0 fails 2 internal");
	end(&w, 1);
}

static void
test_f88_a_claim_that_is_gone_after_a_lost_reply_is_no_failure(void **state)
{
	static const struct play	plays[] = {
		{ "customer", "service.write_", 1, 1, 60, OK, NULL }, { "customer", "service.fail_object", 1, 1, 60, OK, NULL },
	};
	static const char *const	states[] = { "writes 1 fails 0", "writes 0 fails 1 internal" };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct world	w;

		BEGIN(&w, i == 0 ? FINE : BAD);
		play_run(&w, &plays[i]);
		assert_string_equal(cluster_ask(&cluster, STATE), states[i]);
		end(&w, 1);
	}
}

/* The database's fault: the caller waits, and another claim is made when this one's lease has ended. */
static void
test_f88_a_claim_whose_reply_is_lost_asks_stripe_nothing(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, FINE);
	play_run(&w, &(struct play){ "customer", "service.claim_object", 1, 0, 60, ERR_UNCERTAIN, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 0 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select claims from t.due"), "1");
	end(&w, 0);
}

static void
test_a_truncated_list_is_read_to_its_end(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SUBSCRIPTION, PAGE("si_2", "true"), PAGE("si_1", "false"));
	play_run(&w, &(struct play){ "subscription", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select doc->'items' from t.due"),
	    "{\"data\": [{\"id\": \"si_2\"}, {\"id\": \"si_1\"}], \"has_more\": false}");
	assert_non_null(strstr(w.server.asked[1], "GET /v1/subscription_items?subscription=subscription_1&limit=100 "));
	end(&w, 3);
}

static void
test_f78_no_page_is_asked_for_when_the_lease_may_end_before_it_comes(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, SUBSCRIPTION, PAGE("si_2", "true"), PAGE("si_1", "false"));
	play_run(&w, &(struct play){ "subscription", NULL, 0, 0, 0, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 0 fails 1 unavailable");
	end(&w, 1);
}

static void
test_c97_a_preview_is_a_post_with_a_key_of_its_claim(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"upcoming_in_1\",\"amount_due\":950}"));
	play_run(&w, &(struct play){ "preview", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	assert_non_null(strstr(w.server.asked[0], "POST /v1/invoices/create_preview HTTP"));
	assert_non_null(strstr(w.server.asked[0], "subscription=preview_1"));
	assert_non_null(strcasestr(w.server.asked[0], "Idempotency-Key: preview-"));
	end(&w, 1);
}

static void
test_c17_an_open_session_is_looked_at_and_expired(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"expiry_1\",\"status\":\"open\"}"),
	    ANSWER("200 OK", "{\"id\":\"expiry_1\",\"status\":\"expired\"}"));
	play_run(&w, &(struct play){ "expiry", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select doc ->> 'status' from t.due"), "expired");
	assert_non_null(strstr(w.server.asked[0], "GET /v1/checkout/sessions/expiry_1 HTTP"));
	assert_non_null(strstr(w.server.asked[1], "POST /v1/checkout/sessions/expiry_1/expire HTTP"));
	assert_non_null(strcasestr(w.server.asked[1], "Idempotency-Key: expiry-"));
	end(&w, 2);
}

static void
test_c17_one_that_was_completed_is_only_looked_at(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"expiry_1\",\"status\":\"complete\"}"));
	play_run(&w, &(struct play){ "expiry", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	end(&w, 1);
}

static void
test_f211_a_subscription_is_canceled_at_once_and_only_while_it_lives(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cancellation_1\",\"status\":\"past_due\"}"),
	    ANSWER("200 OK", "{\"id\":\"cancellation_1\",\"status\":\"canceled\"}"));
	play_run(&w, &(struct play){ "cancellation", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	assert_string_equal(cluster_ask(&cluster, "select doc ->> 'status' from t.due"), "canceled");
	assert_non_null(strstr(w.server.asked[0], "GET /v1/subscriptions/cancellation_1 HTTP"));
	assert_non_null(strstr(w.server.asked[1], "DELETE /v1/subscriptions/cancellation_1 HTTP"));
	end(&w, 2);
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cancellation_1\",\"status\":\"canceled\"}"));
	play_run(&w, &(struct play){ "cancellation", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	end(&w, 1);
}

static void
test_c76_a_subscription_that_is_canceled_is_billed_what_it_used(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"cancellation_1\",\"status\":\"active\",\"items\":{\"data\":[{\"price\":"
	    "{\"recurring\":{\"usage_type\":\"licensed\"}}},{\"price\":{\"recurring\":{\"usage_type\":\"metered\"}}}]}}"),
	    ANSWER("200 OK", "{\"id\":\"cancellation_1\",\"status\":\"canceled\"}"));
	play_run(&w, &(struct play){ "cancellation", NULL, 0, 0, 60, OK, NULL });
	assert_non_null(strstr(w.server.asked[1], "DELETE /v1/subscriptions/cancellation_1"));
	assert_non_null(strstr(w.server.asked[1], "invoice_now=true"));
	end(&w, 2);
}

static void
test_f211_a_customer_is_emptied_unless_it_is_deleted(void **state)
{
	struct world	w;

	(void)state;
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"erasure_1\",\"email\":\"anna@example.com\"}"),
	    ANSWER("200 OK", "{\"id\":\"erasure_1\",\"email\":null}"));
	play_run(&w, &(struct play){ "erasure", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	assert_non_null(strstr(w.server.asked[1], "POST /v1/customers/erasure_1 HTTP"));
	assert_non_null(strcasestr(w.server.asked[1], "Idempotency-Key: erasure-"));
	assert_non_null(strstr(w.server.asked[1], "email=&name=&phone="));
	end(&w, 2);
	BEGIN(&w, ANSWER("200 OK", "{\"id\":\"erasure_1\",\"deleted\":true}"));
	play_run(&w, &(struct play){ "erasure", NULL, 0, 0, 60, OK, NULL });
	assert_string_equal(cluster_ask(&cluster, STATE), "writes 1 fails 0");
	end(&w, 1);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_f88_a_lost_reply_to_a_write_is_asked_for_again),
		cmocka_unit_test(test_f89_a_write_waits_for_a_database_that_is_away),
		cmocka_unit_test(test_f88_so_is_one_to_the_news_that_the_object_is_gone),
		cmocka_unit_test(test_f88_so_is_one_to_the_report_of_a_failure),
		cmocka_unit_test(test_f88_a_claim_that_is_gone_after_a_lost_reply_is_no_failure),
		cmocka_unit_test(test_f88_a_claim_whose_reply_is_lost_asks_stripe_nothing),
		cmocka_unit_test(test_a_truncated_list_is_read_to_its_end),
		cmocka_unit_test(test_c97_a_preview_is_a_post_with_a_key_of_its_claim),
		cmocka_unit_test(test_c17_an_open_session_is_looked_at_and_expired),
		cmocka_unit_test(test_c17_one_that_was_completed_is_only_looked_at),
		cmocka_unit_test(test_f211_a_subscription_is_canceled_at_once_and_only_while_it_lives),
		cmocka_unit_test(test_c76_a_subscription_that_is_canceled_is_billed_what_it_used),
		cmocka_unit_test(test_f211_a_customer_is_emptied_unless_it_is_deleted),
		cmocka_unit_test(test_f78_no_page_is_asked_for_when_the_lease_may_end_before_it_comes),
	};

	log_open("test", LOG_ERROR);
	return cmocka_run_group_tests(tests, group_setup, cluster_teardown);
}
