#!/usr/bin/python3
"""What many who use something at once may do to each other: TAP, against the copy that ./run made."""
import json

from callers import at_once, ok, overlapped, run, value

MANY = 40
SETTINGS = {"meters": ["tokens"], "costs": [{"provider": "acme", "model": "big", "class": "unit", "micros": 1000000}],
            "quotas": [{"plan": "starter", "meter": "tokens", "included": 100, "sold": True, "most": 100}],
            "rates": [], "caps": [{"kind": "all", "plan": "", "subject": "", "micros": 70}]}
PLAIN, PRICED = ({"provider": "", "model": "tokens"}, {"provider": "acme", "model": "big"})


def begin(**changes):
    value("select ops.put_usage(%s)", json.dumps(SETTINGS | changes))
    for table in ("corrections", "outbox", "days", "holds", "accounts", "windows"):
        value(f"delete from usage.{table} where true returning 1")


def reserve(tenant, request, units=10, model=PLAIN, user=None):
    """What came of it: ok, or the code of the refusal."""
    said = value("select usage.reserve(%s, %s, null, 'tokens', %s, %s, %s, 300)", tenant, user,
                 json.dumps({"unit": units}), json.dumps([model]), request)
    return "ok" if said["ok"] else said["code"]


def settle(hold, units):
    try:
        return value("select usage.settle(tenant_id, id, %s, null, null, 'told', false) from usage.holds where id = %s",
                     json.dumps({"unit": units}), hold)["used"]
    except Exception as error:  # pylint: disable=broad-except
        return error.sqlstate


def holds(what="count(*)"):
    return value(f"select {what} from usage.holds")


def check(name):
    ok(value("select usage.faults()") == [], f"{name} the books are true", value("select usage.faults()"))


def test_f143_no_more_are_held_than_there_is_room_for():
    begin()
    tenants = [value("select tap.paid(%s)", name) for name in ("race1", "race2")]
    answers = at_once(MANY, lambda i: reserve(tenants[0], f"f143 {i}"))
    ok(answers.count("ok") == 10 and answers.count("quota") == MANY - 10, "F143 of forty at once ten are held", answers)
    check("F143")
    begin()
    answers = at_once(MANY, lambda i: reserve(tenants[i % 2], f"all {i}", model=PRICED))
    ok(answers.count("ok") == 7 and answers.count("unavailable") == MANY - 7,
       "F143 the cap of all is one for two tenants", answers)
    check("F143")


def test_f140_one_key_is_one_hold():
    begin()
    tenant = value("select tap.paid('race3')")
    answers = at_once(20, lambda i: retried(lambda: reserve(tenant, "the same")))
    ok(set(answers) == {"ok"} and holds() == 1, "F140 twenty at once with one key are one hold", answers)
    hold = holds("id::text")
    answers = at_once(20, lambda i: settle(hold, 5))
    ok(answers == [5] * 20, "F140 settled twenty times at once it is settled once", answers)
    check("F140")


def retried(function):
    """As lib/db does: a serialization failure is run again."""
    while True:
        try:
            return function()
        except Exception as error:  # pylint: disable=broad-except
            if getattr(error, "sqlstate", None) != "40001":
                raise


def test_f144_ten_pass():
    begin(rates=[{"name": "minute", "plan": "", "meter": "", "allowed": 10, "seconds": 60}])
    tenant = value("select tap.paid('race4')")
    answers = at_once(MANY, lambda i: reserve(tenant, f"f144 {i}", 1))
    ok(answers.count("ok") == 10 and answers.count("rate_minute") == MANY - 10, "F144 of forty at once ten pass",
       answers)


def test_f144_housekeeping_frees_no_place():
    begin(rates=[{"name": "minute", "plan": "", "meter": "", "allowed": 10, "seconds": 60}])
    tenant = value("select tap.paid('race6')")
    value("insert into usage.windows (name, tenant_id, subject, stamps) values ('minute', %s, %s, '{}') returning 1",
          tenant, tenant)
    taken = ("select usage.take_rates(%s, 'starter', 'tokens', %s) ->> 'refused'", tenant, tenant)
    _, refused, waited = overlapped(("select usage.drop_windows(10)",), taken)
    ok(waited and refused is None and value("select cardinality(stamps) from usage.windows") == 1,
       "F144 who waits for a row that goes is counted in a new one", (refused, waited))
    _, gone, waited = overlapped(taken, ("select usage.drop_windows(10)",))
    ok(not waited and gone == 0, "F144 and a row in use stays", (gone, waited))


def test_f138_settled_and_expired_at_once_counts_once():
    begin()
    tenant = value("select tap.paid('race5')")
    for i in range(10):
        reserve(tenant, f"f138 {i}")
    value("update usage.holds set expires_at = now() where true returning 1")
    ids = json.loads(value("select json_agg(id)::text from usage.holds"))
    at_once(MANY, lambda i: settle(ids[i % 10], 4) if i % 4 else value("select usage.expire(3)"))
    ok(value("select sum(used) from usage.accounts where kind = 'tenant' and meter <> ''") == 40,
       "F138 ten holds of which four units were used are forty, however they end",
       value("select json_agg(a) from usage.accounts a"))
    ok(value("select sum(units) from usage.outbox") == 40, "F138 and Stripe is told of forty")
    check("F138")


def test_f157_the_scheduler_repairs_while_others_work():
    begin()
    tenants = [value("select tap.paid(%s)", name) for name in ("race7", "race8")]
    for tenant in tenants:
        reserve(tenant, "before", 1)
    value("update usage.holds set expires_at = now() where true returning 1")
    value("update usage.accounts set from_at = from_at - interval '1 year', until_at = now() "
          "where tenant_id is not null returning 1")
    answers = at_once(MANY, lambda i: retried(lambda: value("select api.roll_over()")) if i % 4 == 0 else
                      reserve(tenants[i % 2], f"f157 {i}"))
    made = [answer for answer in answers if isinstance(answer, str)]
    done = [answer for answer in answers if isinstance(answer, dict)]
    ok(made.count("ok") == 20 and made.count("quota") == MANY - len(done) - 20,
       "F157 meanwhile each tenant has its ten holds", answers)
    ok(sum(answer["expired"] for answer in done) == 2, "F157 and late ones expire once", done)
    ok(value("select count(*) from usage.accounts where kind = 'tenant'") == 4, "F157 in one new period each")
    check("F157")


def test_f93_meters_are_configured_while_records_are_told():
    """Both lock all meters, the latter by their names: mails first, though tokens was there first."""
    begin()
    begin(meters=["tokens", "mails"])
    claimed, configured, waited = overlapped(
        ("select count(*) from (select from usage.meters where meter = 'mails' for no key update) m",),
        ("select ops.put_usage(%s) is null", json.dumps(SETTINGS)), ("select service.claim_usage(30) is null",))
    ok(waited and claimed is configured is True, "F93 neither fails for the other", (claimed, configured, waited))


run(globals())
