#!/usr/bin/python3
"""What many callers at once may do to each other: TAP, against the copy that ./run made."""
import json
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import psycopg

from callers import answer, at_once, ok, run, value


def connect(role):
    return psycopg.connect(f"options='-c role={role} -c search_path=pg_catalog'", autocommit=True)


def ask(role, call, *args):
    """One call on a connection of its own: its answer, or its SQLSTATE."""
    with connect(role) as connection:
        try:
            return connection.execute("select " + call, args).fetchone()[0]
        except psycopg.Error as error:
            return error.sqlstate


def draft(name, ip="192.0.2.1"):
    return ask("tollgate_signup", "api.open_draft(%s, %s, 'starter', 'en', %s, %s::inet)", name.encode(),
               f"{name}@example.org", sha256(name.encode()).digest(), ip)


def receive(event, kind, ident):
    """The ids of those that are new."""
    about = [{"id": event, "type": "x.y", "created": 0, "livemode": False, "signature": "t", "key": "0", "kind": kind,
              "object": ident, "at": 1, "size": 0}]
    return ask("tollgate_webhooks", "service.receive_events(%s, '')", json.dumps(about))


def test_c16_one_wish_is_one_draft():
    answers = at_once(10, lambda i: json.dumps(draft("wish")))
    ok(len(set(answers)) == 1, "C16 ten clicks at once are told the same draft", answers)
    ok(value("select count(*) from app.tenants") == 1, "C16 and there is one tenant")
    value("update billing.checkouts set status = 'expired' returning 1")
    attempts = {answer["attempt"] for answer in at_once(10, lambda i: draft("wish"))}
    ok(attempts == {2}, "C16 ten clicks on an expired one begin one second attempt", attempts)


def test_d24_limits_hold():
    value("delete from auth.hits where true returning 1")
    answers = at_once(40, lambda i: draft(f"flood{i}", "203.0.113.1"))
    made = sum(isinstance(answer, dict) for answer in answers)
    ok(made == 30 and answers.count("TG429") == 10, "D24 of forty drafts at once from one place thirty are made",
       answers)


def test_f53_a_link_signs_in_once():
    user = value("select tap.user('race@example.org')")
    value("select auth.ask_link('race', 'signin', '{}', 'signin', 'race@example.org', 'en', p_flow => %s)",
          sha256(sha256(b"flow").digest()).digest())
    link = value("select (tap.mailed('race@example.org') ->> 'hash')::bytea")
    answers = at_once(50, lambda i: ask("tollgate_signin", "api.sign_in(%s, null, %s, %s, '192.0.2.1', 'x')", link,
                                        sha256(b"flow").digest(), sha256(b"token %d" % i).digest()))
    ok(sum(answer["ok"] for answer in answers) == 1, "F53 fifty presses at once sign in once", answers)
    ok(value("select count(*) from auth.sessions where user_id = %s", user) == 1, "F53 and make one session")


def test_f200_a_code_by_time_counts_once():
    user, key, seed = value("select tap.user('second@example.org')"), "k" * 32, b"12345678901234567890"
    value("insert into auth.factors (user_id, seed, confirmed_at) values (%s, auth.seal_seed(%s, %s), now()) "
          "returning 1", user, seed, key)
    halves = [sha256(b"half %d" % i).digest() for i in range(20)]
    for half in halves:
        value("insert into auth.pending (hash, user_id, amr) values (%s, %s, '{link}') returning 1",
              sha256(half).digest(), user)
    code = value("select auth.totp(%s, auth.totp_step())", seed)

    def one(i, half):
        with psycopg.connect("options='-c role=tollgate_signin -c search_path=pg_catalog "
                             f"-c app.bearer={half.hex()}'", autocommit=True) as connection:
            return answer(connection, "select api.sign_in_second(%s, %s, %s, '192.0.2.1', 'x')", code, key,
                          sha256(b"second %d" % i).digest())
    answers = at_once(20, lambda i: one(i, halves[i]))
    ok(sum(a["ok"] for a in answers) == 1, "F200 of twenty sign-ins at once with a code one is accepted", answers)
    value("update auth.factors set last_step = 0 returning 1")
    again = next(half for half, a in zip(halves, answers) if not a["ok"])
    answers = at_once(20, lambda i: one(20 + i, again))
    ok(sum(a["ok"] for a in answers) == 1, "F200 and so of twenty in one sign-in", answers)
    ok(value("select count(*) from auth.sessions where user_id = %s", user) == 2, "F200 each makes one session")


def test_f205_a_challenge_is_good_once():
    user = value("select tap.user('passkey@example.org')")
    value("insert into auth.passkeys (user_id, credential, key, counter, eligible, backed_up, transports, name) "
          "values (%s, 'race', 'x', 0, true, true, '{}', 'x') returning 1", user)
    said = json.dumps({"credential": b"race".hex(), "challenge": sha256(b"race").hexdigest(), "counter": 0,
                       "handle": value("select auth.passkey_handle(%s)", user).hex(), "eligible": True,
                       "backed_up": True})
    answers = at_once(20, lambda i: ask("tollgate_authn", "api.sign_in_passkey(%s, %s, null, 'en', null, 'x', null, "
                                        "false)", said, sha256(b"passkey %d" % i).digest()))
    ok(sum(a["ok"] for a in answers) == 1, "F205 of twenty sign-ins at once by one challenge one is accepted", answers)
    ok(value("select count(*) from auth.sessions where user_id = %s", user) == 1, "F205 and makes one session")


def test_f51_mails_are_counted():
    value("delete from auth.hits where true returning 1")
    at_once(20, lambda i: ask("tollgate_signin", "api.request_link('race@example.org', %s, null, 'en', '192.0.2.9')",
                           b"browser %d" % i))
    sent = value("select count(*) from mail.outbox where recipient = 'race@example.org' and key <> 'race' "
                 "and state = 'pending'")
    ok(sent == 5, "F51 of twenty requests at once five send mail", sent)
    claims = at_once(10, lambda i: ask("tollgate_mailer", "service.claim_mail(60)"))
    keys = [claim["key"] for claim in claims if claim]
    ok(len(keys) == len(set(keys)) == 5, "F105 ten mailers at once never take the same mail", keys)


def test_f72_an_event_counts_once():
    answers = at_once(50, lambda i: receive("evt_race", "customer", "cus_race") == [])
    ok(answers.count(False) == 1, "F72 of fifty copies at once one is new")
    ok(value("select version from sync.objects where id = 'cus_race'") == 1, "F72 and marks once")
    at_once(20, lambda i: receive(f"evt_race_{i}", "customer", "cus_race"))
    ok(value("select version from sync.objects where id = 'cus_race'") == 21,
       "F73 twenty events at once are twenty marks")


def test_c35_claims_are_exclusive():
    for i in range(5):
        receive(f"evt_claim_{i}", "subscription", f"sub_claim_{i}")
    claims = [claim for claim in at_once(20, lambda i: ask("tollgate_jobs", "service.claim_object(60)")) if claim]
    ok(len({(claim["kind"], claim["id"]) for claim in claims}) == len(claims) == 6,
       "C35 twenty jobs at once take six objects", claims)


def write(kind, claim, document):
    return ask("tollgate_jobs", f"service.write_{kind}(%s, %s, %s, %s, %s)", claim["claim"], claim["kind"], claim["id"],
               claim["version"], json.dumps(document))


def purchase(name, tenant):
    metadata = {"tenant_id": tenant}
    return {
        "checkout": {"id": f"cs_{name}", "mode": "subscription", "status": "complete", "payment_status": "paid",
                     "customer": f"cus_{name}",
                     "subscription": f"sub_{name}", "client_reference_id": tenant, "metadata": metadata},
        "subscription": {"id": f"sub_{name}", "status": "active", "customer": f"cus_{name}", "metadata": metadata,
                         "items": {"data": [{"price": "price_starter"}]}},
        "customer": {"id": f"cus_{name}", "email": f"{name}@stripe.test"},
    }


def test_c14_promotion_happens_once():
    value("delete from auth.hits where true returning 1")
    value("update sync.objects set dead_at = now() returning 1")
    documents = {}
    for i in range(15):
        for document in purchase(f"race{i}", draft(f"race{i}", f"198.51.100.{i}")["tenant"]).values():
            documents[document["id"]] = document
    for n, (ident, kind) in enumerate([(ident, {"cs": "checkout", "cus": "customer",
                                                "sub": "subscription"}[ident.split("_")[0]])
                                       for ident in documents]):
        receive(f"evt_life_{n}", kind, ident)
    answers = []

    def job(_):
        while claim := ask("tollgate_jobs", "service.claim_object(60)"):
            answers.append(write(claim["kind"], claim, documents[claim["id"]]))

    at_once(6, job)
    job(0)
    ok(all(isinstance(answer, dict) for answer in answers), "C14 six jobs at once stand in nobody's way",
       [answer for answer in answers if not isinstance(answer, dict)])
    for what, statement in (
            ("active tenant", "select count(*) from app.tenants t join billing.checkouts c on c.tenant_id = t.id "
                              "where t.status = 'active' and c.email like 'race%@%'"),
            ("owner", "select count(*) from app.members where role = 'owner'"),
            ("welcome mail", "select count(*) from mail.outbox where template = 'welcome'"),
            ("customer, its address known", "select count(*) from billing.customers where email like '%@stripe.test'"),
            ("subscription", "select count(*) from billing.subscriptions")):
        ok(value(statement.replace("%", "%%")) == 15, f"C14 each of fifteen purchases has one {what}",
           value(statement.replace("%", "%%")))
    ok(value("select count(*) from sync.objects where version > clean_version and dead_at is null") == 0,
       "C14 and nothing is left to fetch")


def signed_in(bearer, call, *args):
    with psycopg.connect(f"options='-c role=tollgate_billing -c search_path=pg_catalog -c app.bearer={bearer}'",
                         autocommit=True) as connection:
        return connection.execute("select " + call, args).fetchone()[0]


def test_c12_ten_clicks_are_one_checkout():
    bearer = sha256(b"race0").hexdigest()
    value("select auth.open_session(id, %s, '{link}', null, null, true) from auth.users "
          "where email = 'race0@example.org'",
          sha256(bytes.fromhex(bearer)).digest())
    value("update billing.subscriptions set status = 'canceled' where id = 'sub_race0' returning 1")
    answers = at_once(10, lambda i: signed_in(bearer, "api.open_checkout(%s, 'starter', 'en')", b"click %d" % i))
    ok(len({json.dumps(answer, sort_keys=True) for answer in answers}) == 1 and answers[0]["state"] == "open",
       "C12 ten clicks at once are told the same checkout", answers)
    ok(value("select count(*) from billing.checkouts where status = 'open' and tenant_id = %s",
             answers[0]["tenant"]) == 1,
       "C12 and one is open")
    value("update billing.customers set deleted = true where tenant_id = %s returning 1", answers[0]["tenant"])
    made = at_once(10, lambda i: signed_in(bearer, "api.checkout_customer(%s, %s)",
                                           bytes.fromhex(answers[0]["key"]), f"cus_click{i}")["customer"])
    ok(len(set(made)) == 1, "C15 ten customers made at once: one is used", made)


def test_f73_the_last_change_wins():
    tenant = draft("moving", "198.51.100.99")["tenant"]
    subscription = purchase("moving", tenant)["subscription"]
    stripe = {"quantity": 0}
    done = threading.Event()
    wins = []

    def now():
        return subscription | {"items": {"data": [{"price": "price_starter", "quantity": stripe["quantity"]}]}}

    def change(i):
        for n in range(15):
            stripe["quantity"] += 1
            receive(f"evt_{uuid.uuid4()}", "subscription", "sub_moving")

    def work(i):
        while True:
            stop = done.is_set()
            claim = ask("tollgate_jobs", "service.claim_object(0)" if i == 0 else "service.claim_object(60)")
            if claim and claim["kind"] == "subscription":
                wins.append(write("subscription", claim, now()))
            elif claim:
                write(claim["kind"], claim, {"id": claim["id"]})
            elif stop:
                return

    with ThreadPoolExecutor(6) as pool:
        changers = [pool.submit(change, i) for i in range(3)]
        workers = [pool.submit(work, i) for i in range(3)]
        for changer in changers:
            changer.result()
        done.set()
        for worker in workers:
            worker.result()
    kept = value("select quantity from billing.subscriptions where id = 'sub_moving'")
    ok(kept == stripe["quantity"], "F73 changes during fetches: the last is what is kept", (kept, stripe))
    ok(set(answer if isinstance(answer, str) else "written" for answer in wins) <= {"written", "TG409"},
       "F78 and a writer with an expired lease is refused, no more", wins)
    ok(value("select count(*) from inbox.events where object_id = 'sub_moving' and state <> 'done'") == 0,
       "F73 and all its events are done")


def test_d19_who_leaves_a_price_last_sees_it():
    value("delete from auth.hits where true returning 1")
    tenants = [draft(f"odd{i}", f"198.51.100.{i}")["tenant"] for i in range(6)]

    def claim(i):
        receive(f"evt_{uuid.uuid4()}", "subscription", f"sub_odd{i}")
        value("update sync.objects set next_at = now() - interval '1 day', claimed_until = null where id = %s "
              "returning 1", f"sub_odd{i}")
        return ask("tollgate_jobs", "service.claim_object(60)")

    def pays(i, price, status="active"):
        price = {"id": f"price_odd{price}", "active": True, "unit_amount": 1, "currency": "eur"}
        return purchase(f"odd{i}", tenants[i])["subscription"] | {"items": {"data": [{"price": price}]},
                                                                  "status": status}

    def told():
        return value("select count(*) from ops.alerts where kind = 'unknown_price' and subject like 'price_odd%%' "
                     "and cleared_at is null")

    rounds = []
    for n in range(5):
        for i in range(6):
            write("subscription", claim(i), pays(i, i % 2))
        before = told()
        for steps in [[(1 - i % 2, "active") for i in range(6)], [(1 - i % 2, "canceled") for i in range(6)]]:
            claims = [claim(i) for i in range(6)]
            answers = at_once(6, lambda i: write("subscription", claims[i], pays(i, *steps[i])))
            rounds.append((before, answers))
        rounds.append((before, told()))
    ok(all(before == 2 for before, _ in rounds), "D19 two prices that are no plan's are told", rounds)
    ok(all(isinstance(a, dict) for _, answers in rounds if isinstance(answers, list) for a in answers),
       "F78 six that change between them at once stand in nobody's way", rounds)
    ok([left for _, left in rounds if not isinstance(left, list)] == [0] * 5,
       "D19 and of six that end at once the last sees it", rounds)


run(globals())
