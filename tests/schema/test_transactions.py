#!/usr/bin/python3
"""The alert on transactions that stay open: TAP, against the copy that ./run made."""
import time

import psycopg

from callers import ok, run, value

ALERTS = """select coalesce(jsonb_agg(jsonb_build_object('open', cleared_at is null, 'pids',
    (select jsonb_agg(o -> 'pid') from jsonb_array_elements(detail -> 'oldest') o), 'roles',
    (select jsonb_agg(o -> 'role') from jsonb_array_elements(detail -> 'oldest') o)) order by id), '[]')
    from ops.alerts where kind = 'old_transaction'"""


def watch(seconds):
    value("select tap.ask('tollgate_jobs', %s)", f"service.watch_transactions({seconds})")
    return value(ALERTS)


def connect(role):
    return psycopg.connect(f"options='-c role={role} -c search_path=pg_catalog'")


def test_s06_a_transaction_that_stays_open():
    ok(watch(1) == [], "S6 without a transaction that is old there is no alert")
    with connect("postgres") as mine, connect("none") as other:
        mine.execute("select 1")
        time.sleep(1.1)
        other.execute("select 1")
        alert = watch(1)
        ok(alert == [{"open": True, "pids": [mine.info.backend_pid], "roles": ["postgres"]}],
           "S6 one that is open for longer raises it, and a younger one is not named", alert)
        again = watch(1)
        ok(again == alert, "S6 and is not raised twice", again)
        ok(watch(30)[0]["open"] is False, "S6 one of seconds is not old")
        ok(len(watch(1)) == 2, "S6 and raised anew")
        mine.rollback()
    ok([a["open"] for a in watch(1)] == [False, False], "S6 it ends with the transaction")
    ok(value("select pg_get_function_arguments('service.watch_transactions'::regproc)")
       == "p_seconds integer DEFAULT 30", "S6 jobs ask for those of 30 seconds")


def test_s06_no_statement_is_told():
    with connect("none") as other:
        other.execute("select 'a value'")
        told = value("select ops.old_transactions(0)::text")
        ok(str(other.info.backend_pid) in told and "a value" not in told, "S6 the alert tells no text of a statement",
           told)


if __name__ == "__main__":
    run(globals())
