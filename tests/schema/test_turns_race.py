#!/usr/bin/python3
"""What many requests to models at once may do to each other: TAP, against the copy that ./run made."""
import json

from callers import at_once, ok, run, value

MANY = 40
EACH = 33 + 1000        # what a message of one letter holds
MODELS = {"a": "acme", "b": "other", "c": "third"}
QUOTA = {"plan": "starter", "meter": "tokens", "included": 10**8, "sold": False, "most": 10**8}
SETTINGS = {"meters": ["tokens"], "quotas": [QUOTA], "rates": [], "caps": [], "costs": [
    {"provider": provider, "model": name, "class": kind, "micros": 1000000}
    for name, provider in MODELS.items() for kind in ("input", "output")]}
CHAT = {"meter": "tokens", "model": "a", "models": [
    {"name": name, "label": name, "provider": provider, "model": name, "max_tokens": 1000, "context": 9000,
     "fallback": "bca"["abc".index(name)], "plans": ["starter"], "rank": 1} for name, provider in MODELS.items()]}
BEARERS = {}


def begin(**changes):
    value("select ops.put_usage(%s)", json.dumps(SETTINGS | changes))
    value("select ops.put_chat(%s)", json.dumps(CHAT))
    for table in ("chat.conversations", "chat.turns", "chat.breakers", "chat.calls", "usage.corrections",
                  "usage.outbox", "usage.days", "usage.holds", "usage.accounts", "usage.windows"):
        value(f"delete from {table} where true returning 1")


def bearer(name):
    if name not in BEARERS:
        value("select tap.paid(%s)", name)
        BEARERS[name] = value("select tap.session(%s, %s)", name + "@example.org", name)
    return BEARERS[name]


def ask(call, document=None, who=None):
    """As lib/db calls: a serialization failure is run again. A deadlock is none, and fails the test."""
    text = f"api.chat_{call}" if document is None else value("select format('api.chat_%%s(%%L)', %s::text, %s::text)",
                                                             call, json.dumps(document))
    while True:
        try:
            return value("select tap.ask('tollgate_chat', %s, %s)", text, BEARERS[who] if who else "")
        except Exception as error:  # pylint: disable=broad-except
            if getattr(error, "sqlstate", None) != "40001":
                return {"state": "error", "code": str(error)}


def message(who, chat, name, **more):
    return ask("begin", {"chat": chat, "message": name, "text": "x", "trigger": "submit-message", **more}, who)


def settle(turn, output=5):
    first = turn["candidates"][0]
    return ask("settle", {"hold": turn["hold"], "provider": first["provider"], "model": first["model"],
                          "usage": {"input": 10, "output": output}, "counted": "provider", "finish": "stop",
                          "state": "complete", "text": "y"})


def states(answers):
    return sorted({(a["state"], a.get("code")) for a in answers}, key=str)


def check(name):
    ok(value("select usage.faults()") == [], f"{name} the books are true", value("select usage.faults()"))


def test_f143_no_more_begin_than_there_is_room_for():
    bearer("turn1")
    begin(quotas=[QUOTA | {"included": 7 * EACH, "most": 7 * EACH}])
    answers = sum(at_once(MANY, lambda i: [message("turn1", f"f143-{i}-{n}", "m") for n in range(5)]), [])
    ok([a["state"] for a in answers].count("started") == 7, "F143 of two hundred there is room for seven",
       states(answers))
    ok({a.get("code") for a in answers} == {None, "quota"}, "F143 the others have no quota left", states(answers))
    ok(value("select count(*) from usage.holds") == 7 and value("select count(*) from chat.conversations") == 7,
       "F143 and leave nothing")
    check("F143")
    bearer("turn2")
    begin(caps=[{"kind": "all", "plan": "", "subject": "", "micros": 7 * EACH}])
    answers = at_once(MANY, lambda i: message(f"turn{1 + i % 2}", f"all-{i}", "m"))
    ok([a["state"] for a in answers].count("started") == 7, "F143 the cap of all is one for two tenants",
       states(answers))
    check("F143")


def test_c73_ten_pass():
    begin(rates=[{"name": "minute", "plan": "", "meter": "", "allowed": 10, "seconds": 60}])
    answers = at_once(MANY, lambda i: message("turn1", f"c73-{i}", "m"))
    ok([a["state"] for a in answers].count("started") == 10 and
       [a.get("code") for a in answers].count("rate_minute") == MANY - 10, "C73 of forty at once ten pass",
       states(answers))


def test_f141_the_same_message_at_once_is_asked_once():
    begin()
    answers = at_once(MANY, lambda i: message("turn1", "f141", "m"))
    ok([a["state"] for a in answers].count("started") == 1, "F141 one begins", states(answers))
    ok([a.get("code") for a in answers].count("busy") == MANY - 1, "F141 the others are told that it does",
       states(answers))
    turn = next(a for a in answers if a["state"] == "started")
    answers = at_once(MANY, lambda i: settle(turn))
    ok({a["state"] for a in answers} == {"complete"} and value("select sum(spent) from usage.holds") == 15,
       "F140 settled forty times at once it is settled once", states(answers))
    answers = at_once(MANY, lambda i: message("turn1", "f141", "m"))
    ok({a["state"] for a in answers} == {"replay"}, "F141 then all have the same answer", states(answers))
    check("F141")


def test_f142_later_messages_end_earlier_ones():
    begin()
    answers = at_once(MANY, lambda i: message("turn1", f"f142-{i % 4}", f"m{i}", model="abc"[i % 3]))
    ok({a["state"] for a in answers} == {"started"}, "F142 each of forty messages in four conversations is answered",
       states(answers))
    ok(value("select count(*) from chat.turns where state = 'open'") == 4 and
       value("select count(*) from usage.holds where state = 'held'") == 4, "F142 one of each is under way")
    check("F142")
    done = at_once(MANY, lambda i: settle(answers[i], i))
    ok({a["state"] for a in done} == {"complete"}, "F142 each is settled", states(done))
    ok(value("select sum(used) from usage.accounts where kind = 'tenant' and meter = 'tokens'") ==
       sum(10 + i for i in range(MANY)), "F142 and counted once", value("select json_agg(a) from usage.accounts a"))
    check("F142")


def test_f138_settled_expired_and_taken_over_at_once():
    begin()
    turns = [message("turn1", f"f138-{i}", "m") for i in range(10)]
    value("update usage.holds set expires_at = now() where true returning 1")

    def one(i):
        return [lambda: settle(turns[i % 10], 4), lambda: message("turn1", f"f138-{i % 10}", f"n{i}"),
                lambda: value("select tap.ask('tollgate_jobs', 'service.tend_usage(3)')"),
                lambda: ask(f"checkpoint('{turns[i % 10]['hold']}')")][i // 10]()
    answers = at_once(MANY, one)
    ok({a["state"] for a in answers if isinstance(a, dict) and "state" in a} == {"complete", "started"},
       "F138 whoever is first, nobody fails", [a for a in answers if isinstance(a, dict) and a.get("state") == "error"])
    for turn in turns:
        settle(turn, 4)
    ok(value("select sum(h.spent + coalesce(c.units, 0)) from usage.holds h left join usage.corrections c on "
             "c.hold_id = h.id where h.id::text = any(%s)", [turn["hold"] for turn in turns]) == 140,
       "F138 ten turns of fourteen tokens are 140, however they end")
    check("F138")


def test_c81_one_tries():
    begin()
    value("insert into chat.breakers (provider, model, state, trips, until) values ('acme', 'a', 'open', 1, now()) "
          "returning 1")
    answers = at_once(MANY, lambda i: message("turn1", f"c81-{i}", "m"))
    told = [a["candidates"][0]["breaker"] for a in answers if a["state"] == "started"]
    ok(told.count("half") == 1 and told.count("open") == MANY - 1, "C81 of forty one tries the model", states(answers))
    outcomes = at_once(MANY, lambda i: ask("note_call('other', 'b', 'error', 503)"))
    ok(value("select concat_ws(' ', sum(calls), sum(failures)) from chat.calls") == f"{MANY} {MANY}" and
       value("select trips from chat.breakers where model = 'b'") == 1, "C81 forty that fail open a breaker once",
       outcomes)


run(globals())
