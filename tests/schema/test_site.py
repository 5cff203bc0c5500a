#!/usr/bin/python3
"""What /status tells: TAP, against the copy that ./run made."""
import time

import psycopg

from callers import ok, run, value

SECRET = "a-subject@example.org"


def status():
    return value("select tap.ask('tollgate_account', 'api.site_status()')")


def states(programs):
    return {p["name"]: p["state"] for p in programs}


def note(refused, ago):
    value("select tap.ask('tollgate_jobs', %s)", f"service.note_stripe({refused}, {ago})")


def login(role):
    """A program that has asked something."""
    connection = psycopg.connect(user=role, autocommit=True)
    connection.execute("select 1")
    return connection


def test_c83_who_is_connected_runs():
    none = status()
    roles = value("select array_agg(substr(rolname, 10) order by rolname) from pg_roles "
                  "where starts_with(rolname, 'tollgate_') and rolcanlogin and rolname <> 'tollgate_operator'")
    ok([p["name"] for p in none["programs"]] == roles, "C83 every program with a role is named", none)
    ok(states(none["programs"]) == {name: "down" if name in ("jobs", "mailer") else "idle" for name in roles},
       "C83 without a connection jobs and mailer are down, and others idle", none)
    ok((none["state"], none["stripe"]["state"], none["mail"]["state"]) == ("degraded", "unknown", "down"),
       "C83 and so nothing is known of Stripe, and no mail goes", none)
    with login("tollgate_jobs"), login("tollgate_mailer"), login("tollgate_signin") as signin:
        some = status()
        began = value("select api.date_document(backend_start) from pg_stat_activity where pid = %s",
                      signin.info.backend_pid)
        ok({n: s for n, s in states(some["programs"]).items() if s == "up"}
           == {"jobs": "up", "mailer": "up", "signin": "up"}, "C83 who is connected is up", some)
        ok([p["since"] for p in some["programs"] if p["name"] == "signin"] == [began], "C83 since it connected", some)
        ok(some["mail"]["state"] == "up" and some["mail"]["looked"], "C83 the mailer looks for mails", some)
        time.sleep(1.1)
        quiet = states(value("select ops.program_states(1)"))
        ok((quiet["jobs"], quiet["mailer"], quiet["signin"]) == ("down", "down", "up"),
           "C83 jobs and mailer that ask nothing are down", quiet)
    ok(value("select pg_get_function_arguments('ops.program_states'::regproc)") == "p_quiet integer DEFAULT 120",
       "C83 after two minutes")


def test_c83_a_connection_to_another_database_is_not_of_this_site():
    with psycopg.connect(user="tollgate_jobs", dbname=value("select current_setting('tap.source')")):
        ok(states(status()["programs"])["jobs"] == "down", "C83 another database's programs are not this site's")


def test_c83_stripe():
    with login("tollgate_jobs"), login("tollgate_mailer"):
        ok(status()["stripe"] == {"state": "unknown", "since": None, "answered": None, "pace": "free"},
           "C83 before jobs has called Stripe nothing is known")
        note("false", "null")
        ok(status()["stripe"]["state"] == "unknown", "C83 nor once it has told so")
        note("false", 60000)
        up = status()
        ok((up["state"], up["stripe"]["state"]) == ("up", "up"), "C83 it answers, and all is up", up)
        ok(value("select answered_at between now() - interval '61 s' and now() - interval '59 s' from billing.pace"),
           "C83 when it answered is known")
        note("true", 90000)
        down = status()
        ok((down["state"], down["stripe"]["state"], down["stripe"]["answered"]) == ("degraded", "down",
           up["stripe"]["answered"]), "C83 while calls are refused it is down, and has answered when it had", down)
        since = value("select refused_since from billing.pace")
        note("true", 95000)
        ok(value("select refused_since from billing.pace") == since and down["stripe"]["since"],
           "C83 since that began")
        note("false", 0)
        ok(status()["stripe"]["state"] == "up" and status()["stripe"]["since"] is None, "C83 and then up again")


def test_c83_the_pace_of_calls():
    with login("tollgate_jobs"), login("tollgate_mailer"):
        note("false", 0)
        value("insert into billing.calls (slot, n, until) values ('x', 1, now() + interval '1 min'), "
              "('x', 2, '-infinity') returning true")
        ok(status()["stripe"]["pace"] == "free", "C83 with a permit left calls are free")
        value("update billing.calls set until = now() + interval '1 min' where slot = 'x' and n = 2 returning true")
        busy = status()
        ok((busy["state"], busy["stripe"]["pace"]) == ("up", "busy"), "C83 with none they are busy", busy)
        value("with gone as (delete from billing.calls where slot = 'x' returning 1) select count(*) from gone")
        for column, ahead, said in (("full_at", "30 s", "busy"), ("full_at", "100 ms", "free"),
                                    ("paused_until", "30 s", "paused"), ("paused_until", "1 day", "free")):
            value("update billing.pace set full_at = now(), paused_until = now() - interval '1 s' returning true")
            value(f"update billing.pace set {column} = clock_timestamp() + interval '{ahead}' returning true")
            told = status()
            ok((told["stripe"]["pace"], told["state"]) == (said, "degraded" if said == "paused" else "up"),
               f"C83 {column} in {ahead}: {said}", told)


def mail(age, state="pending", rank=0):
    value("insert into mail.outbox (key, recipient, template, language, state, rank, created_at, sent_at) "
          "values (gen_random_uuid()::text, %s, 'signin', 'en', %s, %s, now() - %s::interval, "
          "case when %s = 'sent' then now() end) returning true", SECRET, state, rank, age, state)


def forget():
    value("with gone as (delete from mail.outbox where recipient = %s returning 1) select count(*) from gone", SECRET)


def test_c83_mail():
    with login("tollgate_jobs"), login("tollgate_mailer"):
        note("false", 0)
        for age, state, rank in (("1 hour", "sent", 0), ("1 hour", "dead", 0), ("1 hour", "pending", 1),
                                 ("4 min", "pending", 0)):
            mail(age, state, rank)
            told = status()["mail"]
            ok((told["state"], told["waits_since"]) == ("up", None), f"C83 {state} for {age}, rank {rank}: up", told)
        mail("2 hours")
        mail("20 min")
        late = status()
        ok((late["state"], late["mail"]["state"]) == ("degraded", "delayed"), "C83 one that waits is late", late)
        ok(late["mail"]["waits_since"] == value("select api.date_document(date_trunc('minute', "
           "now() - interval '2 hours'))"), "C83 since the oldest of them began to wait, to the minute", late)
        forget()


def models(*rows):
    """(provider, model, calls, failures, breaker) of the models that there are, from now on."""
    with psycopg.connect(autocommit=True) as connection:
        for table in ("calls", "breakers", "models"):
            connection.execute(f"delete from chat.{table}")
        for provider, model, calls, failures, breaker in rows:
            connection.execute(
                "insert into chat.models (name, label, provider, model, max_tokens, context, plans, rank) "
                "values (%s, 'x', %s, %s, 10, 100, '{}', 1)", (provider, provider, model))
            connection.execute("insert into chat.calls (provider, model, at, calls, failures) values (%s, %s, now(), "
                               "%s, %s)", (provider, model, calls, failures))
            connection.execute("insert into chat.breakers (provider, model, state, until) select %s, %s, %s, u from "
                               "(select case %s when 'open' then '2130-01-01 12:30Z'::timestamptz "
                               "when 'half' then '2020-01-01 12:30Z' end) t (u)", (provider, model, breaker, breaker))


def test_c83_models():
    with login("tollgate_jobs"), login("tollgate_mailer"):
        note("false", 0)
        for calls, failures, breaker, state, rate in (
                (0, 0, "closed", "up", None), (9, 9, "closed", "up", None), (10, 1, "closed", "up", 10),
                (10, 2, "closed", "elevated", 20), (1000, 3, "closed", "up", 0), (0, 0, "open", "down", None),
                (20, 20, "half", "down", 100)):
            models(("one", "m", 50, 0, "closed"), ("two", "m", calls, failures, breaker))
            told = status()
            ok(told["models"] == [
                {"provider": "one", "model": "m", "state": "up", "breaker": "closed", "until": None, "error_rate": 0},
                {"provider": "two", "model": "m", "state": state, "breaker": breaker, "error_rate": rate,
                 "until": {"open": {"iso": "2130-01-01T12:30:00Z"}, "half": {"iso": "2020-01-01T12:30:00Z"}}.get(
                     breaker)}],
               f"C83 {failures} of {calls} failed, and the breaker is {breaker}", told)
            ok(told["state"] == ("up" if state == "up" else "degraded"), f"C83 {state}", told)


def alerts():
    value("select tap.ask('tollgate_jobs', 'service.watch_models()')")
    return value("select coalesce(jsonb_agg(jsonb_build_array(subject, detail ->> 'percent', cleared_at is null) "
                 "order by id), '[]') from ops.alerts where kind = 'model_errors'")


def test_c83_an_elevated_rate_of_errors_is_told_once_and_ends():
    steps = ((9, 9, "closed", []), (10, 1, "closed", []),
             (10, 2, "closed", [["two:m", "20", True]]), (100, 45, "closed", [["two:m", "45", True]]),
             (100, 15, "closed", [["two:m", "45", True]]),          # it has to be a tenth
             (0, 0, "open", [["two:m", "45", True]]), (0, 0, "half", [["two:m", "45", True]]),
             (100, 9, "closed", [["two:m", "45", False]]), (100, 15, "closed", [["two:m", "45", False]]),
             (100, 20, "half", [["two:m", "45", False], ["two:m", "20", True]]),
             (0, 0, "closed", [["two:m", "45", False], ["two:m", "20", False]]))
    for calls, failures, breaker, expected in steps:
        models(("one", "m", 50, 0, "closed"), ("two", "m", calls, failures, breaker))
        found = alerts()
        ok(found == expected, f"C83 {failures} of {calls} failed, and the breaker is {breaker}: the alerts", found)
    models(("two", "m", 10, 10, "open"))
    ok(alerts()[-1] == ["two:m", "100", True], "C83 and of a model that is asked")
    models(("one", "m", 10, 0, "closed"))
    ok(alerts()[-1] == ["two:m", "100", False], "C83 no more")
    models()
    ok(status()["models"] == [], "C83 without models there are none")


def test_f50_it_does_not_say_when_a_mail_was_sent():
    with login("tollgate_jobs"), login("tollgate_mailer"):
        before = status()
        mail("0 s", "sent")
        after = status()
        ok({**before, "at": 0} == {**after, "at": 0} and SECRET not in str(after),
           "F50 a mail that was sent changes nothing that /status tells", after)
        forget()


def test_c83_only_the_program_of_the_page_may_ask():
    for role in ("tollgate_signin", "tollgate_jobs", "tollgate_mailer"):
        ok(value("select tap.state_of(%s, 'select api.site_status()')", role) == "42501", f"C83 not {role}")


def test_c83_it_reads_no_table_from_end_to_end():
    with psycopg.connect() as connection:
        connection.execute("insert into mail.outbox (key, recipient, template, language, state, rank, created_at) "
                           "select 'many ' || n, %s, 'signin', 'en', 'pending', 0, now() - n * interval '1 s' "
                           "from generate_series(1, 5000) n", [SECRET])
        connection.execute("analyze mail.outbox")   # what is taken for a few rows depends on when autovacuum was here
        plan = connection.execute("explain (costs off) select min(o.created_at) from mail.outbox o "
                                  "where o.state = 'pending' and o.rank = 0").fetchall()
        connection.rollback()
        index = value("select indexname from pg_indexes where schemaname = 'mail' and indexdef ~ 'rank = 0'")
        ok(any(line[0].strip().endswith(f"using {index} on outbox o") for line in plan),
           "C83 the oldest mail is the end of an index", (index, plan))


if __name__ == "__main__":
    run(globals())
