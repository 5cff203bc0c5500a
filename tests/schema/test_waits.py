#!/usr/bin/python3
"""What a caller finds that comes while another has not committed: TAP, against the copy that ./run made."""
import json
from hashlib import sha256

from callers import ok, overlapped, run, value


def as_billing(call, bearer, *args):
    """A call of the billing page; call has a placeholder of format() for each argument."""
    return ("select tap.ask('tollgate_billing', format(%s, variadic %s::text[]), %s)", "api." + call,
            [str(arg) for arg in args], bearer)


def as_jobs(call, *args, role="jobs"):
    return (f"select tap.ask('tollgate_{role}', format(%s, variadic %s::text[]))", "service." + call,
            [str(a) for a in args])


def as_mailer(call, *args):
    return as_jobs(call, *args, role="mailer")


def click(bearer, key="\\x01"):
    return as_billing("open_checkout(%L, 'starter', 'en')", bearer, key)


def written(kind, document):
    """The write of a document, its object claimed beforehand."""
    value("select tap.receive('evt_' || gen_random_uuid(), %s, %s)", kind, document["id"])
    claim = value("select tap.claim(%s, %s)", kind, document["id"])
    return "select tap.write(%s, %s)", json.dumps(claim), json.dumps(document)


def document(kind, name, tenant=None, **more):
    """As setup.sql has it, with more."""
    arguments = (name, tenant, json.dumps(more)) if kind in ("checkout", "subscription") else (name, json.dumps(more))
    return value(f"select tap.{kind}({', '.join(['%s'] * len(arguments))})", *arguments)


def manager(name):
    """A tenant whose subscription has ended, and its owner's bearer."""
    value("delete from auth.hits where true returning 1")
    tenant = value("select tap.paid(%s)", name)
    value("select tap.sync('subscription', %s)", json.dumps(document("subscription", name, tenant, status="canceled")))
    return tenant, value("select tap.session(%s, %s)", name + "@example.org", name)


def bare(name):
    """The same, and no customer is bound."""
    tenant, bearer = manager(name)
    value("delete from billing.customers where tenant_id = %s returning 1", tenant)
    value("update billing.subscriptions set customer_id = null where tenant_id = %s returning 1", tenant)
    return tenant, bearer


def test_c12_a_click_waits_for_what_is_being_paid():
    tenant, bearer = manager("wa")
    _, told, waited = overlapped(written("subscription", document("subscription", "wa2", tenant, customer="cus_wa")),
                                 click(bearer))
    ok(waited and told["state"] == "portal", "C12 who clicks while a subscription is written buys no second", told)


def test_c12_two_clicks_are_one_checkout():
    tenant, bearer = manager("wb")
    one, two, waited = overlapped(click(bearer), click(bearer, "\\x02"))
    ok(waited and one == two, "C12 a click while another is decided is told the same checkout", (one, two))
    ok(value("select count(*) from billing.checkouts where tenant_id = %s and status = 'open'", tenant) == 1,
       "C12 and one is open")


def test_c15_a_tenant_has_one_customer():
    tenant, bearer = bare("wc")
    key = value(*click(bearer))["key"]
    one, two, _ = overlapped(*(as_billing("checkout_customer(%L, %L)", bearer, "\\x" + key, "cus_wc" + n)
                               for n in ("1", "2")))
    ok(one == two == {"customer": "cus_wc1"}, "C15 of two customers made at once the first is used", (one, two))
    _, two, _ = overlapped(as_billing("customer_gone(%L, %L)", bearer, "\\x" + key, "cus_wc1"), click(bearer))
    ok(two["customer"] is None, "F102 a click does not name a customer that is being given up", two)
    spent = two["customer_key"]
    _, two, _ = overlapped(as_billing("customer_spent(%L, %L)", bearer, "\\x" + key, spent), click(bearer))
    ok(two["customer_key"] != spent, "F98 nor a key that is being given up", (spent, two))
    _, two, _ = overlapped(("select tap.ask('tollgate_operator', format('ops.accept_customer(%%L, %%L, %%L)', "
                            "%s::text, 'cus_wc9', '[]'))", tenant), click(bearer))
    ok(two["customer"] == "cus_wc9", "C15 and the one that the operator binds at that moment pays", two)
    _, two, _ = overlapped(written("customer", document("customer", "wc9", deleted=True)), click(bearer))
    ok(two["customer"] is None, "F102 not one whose deletion is being written", two)


def test_c15_a_click_waits_for_the_customer_of_what_is_being_paid():
    tenant, bearer = bare("wp")
    _, told, waited = overlapped(written("checkout", document("checkout", "wp2", tenant)), click(bearer))
    ok(waited and told["customer"] == "cus_wp2", "C15 who clicks while a checkout is written pays as its", told)


def test_c97_a_balance_counts_that_is_written_meanwhile():
    tenant = value("select tap.paid('wy')")
    overlapped(written("customer", document("customer", "wy", balance=300)),
               written("subscription", document("subscription", "wy", tenant)))
    ok(value("select previewed from billing.subscriptions where id = 'sub_wy'"),
       "C97 a subscription that is written while its customer gets a balance asks what will be charged")


def test_c38_nothing_stays_an_orphan():
    for kind, ident in (("invoice", "in_"), ("charge", "ch_"), ("dispute", "dp_"), ("subscription", "sub_")):
        tenant, name = bare("wd" + kind)[0], "orphan" + kind
        arguments = (None,) if kind == "subscription" else ()
        if kind in ("charge", "dispute"):
            value("select sync.mark('customer', %s)", "cus_" + name)     # an event has named it before
        first, bound, waited = overlapped(written(kind, document(kind, name, *arguments)),
                                          ("select billing.bind_customer(%s, %s)", tenant, "cus_" + name))
        ok(first == {"clean": True, "orphan": True} and bound and waited,
           f"C38 who binds a customer waits for its {kind}", (first, bound))
        ok(value("select version > clean_version from sync.objects where id = %s", ident + name),
           f"C38 and then has the {kind} fetched again")


def test_f81_one_pass_at_a_time():
    for name, every in (("waits", 0), ("waits asked for", -1)):
        value("insert into sync.cursors (name) values (%s) returning 1", name)
        one, two, _ = overlapped(*[as_jobs(f"take_cursor(%L, {every}, 0, 60)", name)] * 2)
        ok("claim" in one and two == {"busy": True}, "F81 of two passes that begin at once one goes on", (one, two))


def test_c35_what_is_in_hand_is_left_alone():
    value("update sync.objects set next_at = 'infinity' returning 1")
    value("update mail.outbox set state = 'void' returning 1")
    for name in ("we1", "we2"):
        value("select tap.receive(%s, 'customer', %s)", "evt_" + name, "cus_" + name)
        value("insert into mail.outbox (key, recipient, template, language) values (%s, 'x', 'x', 'en') returning 1",
              name)
    claim = as_jobs("claim_object(60)")
    one, two, waited = overlapped(claim, claim)
    ok(not waited and {one["id"], two["id"]} == {"cus_we1", "cus_we2"},
       "C35 of two that claim at once each has its own object, and none waits", (one, two))
    claim = as_mailer("claim_mail(60)")
    one, two, waited = overlapped(claim, claim)
    ok(not waited and {one["key"], two["key"]} == {"we1", "we2"}, "F105 nor of two mailers", (one, two))

    value("update sync.objects set claimed_until = now() - interval '1 s' where id in ('cus_we1', 'cus_we2') "
          "returning 1")
    value("update sync.objects set next_at = 'infinity' where id = 'cus_we2' returning 1")
    held = value("select claim from sync.objects where id = 'cus_we1'")
    _, two, waited = overlapped(("select sync.hold(%s, 'customer', 'cus_we1')", held), as_jobs("claim_object(60)"))
    ok(not waited and two is None, "F78 an object that is being written is not claimed", two)
    value("update mail.outbox set claimed_until = now() - interval '1 s' where key = 'we1' returning 1")
    _, two, waited = overlapped(("select mail.hold(id, claim) from mail.outbox where key = 'we1'",),
                                as_mailer("claim_mail(60)"))
    ok(not waited and two is None, "F78 nor a mail that is being reported", two)

    value("update sync.objects set next_at = now() + interval '1 h', last_error = 'key_refused' "
          "where id in ('cus_we1', 'cus_we2') returning 1")
    _, _, waited = overlapped(("select sync.hold(%s, 'customer', 'cus_we1')", held), as_jobs("watch_key('[]')"))
    ok(not waited and value("select next_at <= now() from sync.objects where id = 'cus_we2'"),
       "F102 who tells that the key is good again waits for no object")


def test_s02_a_permit_that_another_is_taking_is_not_waited_for():
    take = ("select tap.ask('tollgate_signup', format('api.take_call(''wl'', 1, 60000, %%L, null, null, 1, ''{}'')', "
            "%s::bytea))")
    value(take, b"zero")
    value("select tap.ask('tollgate_signup', format('api.end_call(%%L)', %s::bytea))", b"zero")
    one, two, waited = overlapped((take, b"one"), (take, b"two"))
    ok(one["permitted"] and two == {"permitted": False, "pids": []} and not waited,
       "S02 of two that take the last permit at once one is told that there is none", (one, two))


def test_d24_retention_waits_for_nobody():
    value("select tap.receive(%s, null, null)", "evt_wf")
    value("update inbox.events set received_at = now() - interval '91 days' where id = 'evt_wf' returning 1")
    _, done, waited = overlapped(("select 1 from inbox.events where id = 'evt_wf' for update",),
                                 as_jobs("apply_retention(90)"))
    ok(not waited and isinstance(done, dict), "C33 retention leaves an event that is locked", done)
    value("delete from auth.hits where true returning 1")
    tenant = value("select tap.open_draft('wf', 'wf@example.org')")["tenant"]
    value("update app.tenants set created_at = now() - interval '8 days' where id = %s returning 1", tenant)
    _, done, waited = overlapped(written("checkout", document("checkout", "wf", tenant)),
                                 as_jobs("apply_retention(90)"))
    ok(not waited and value("select status from app.tenants where id = %s", tenant) == "active",
       "D24 and an old draft that is paid for at that moment", done)


def test_d19_who_leaves_a_price_last_sees_it():
    names = ("wg1", "wg2")
    tenants = [manager(name)[0] for name in names]
    price = {"id": "price_wg", "active": True, "unit_amount": 1, "currency": "eur"}
    for name, tenant in zip(names, tenants):
        value("select tap.sync('subscription', %s)",
              json.dumps(document("subscription", name, tenant, items={"data": [{"price": price}]})))
    told = ("select count(*) from ops.alerts where kind = 'unknown_price' and subject = 'price_wg' "
            "and cleared_at is null")
    before = value(told)
    overlapped(*(written("subscription", document("subscription", name, tenant))
                 for name, tenant in zip(names, tenants)))
    ok((before, value(told)) == (1, 0), "D19 of two that leave an unknown price at once the last ends its alert",
       before)


def links(name, n):
    """n usable links of one user, each asked for in a browser of its own, "browser0" and so on: hashes and codes."""
    mails = []
    for i in range(n):
        value("delete from auth.hits where true returning 1")
        value("select tap.request(%s, %s)", name + "@example.org", f"browser{i}")
        mails.append(value("select tap.mailed(%s)", name + "@example.org"))
    return mails


def press(link, code, flow, secret):
    return "select tap.sign_in(%s, %s, %s, %s)", link, code, flow, secret


def test_f53_a_proof_is_used_once():
    manager("wh")
    (mail,) = links("wh", 1)
    one, two, _ = overlapped(*(press(mail["hash"], None, "browser0", n) for n in ("h1", "h2")))
    ok(one["ok"] and not two["ok"], "F53 a link pressed twice at once signs in once", (one, two))
    (mail,) = links("wh", 1)
    one, two, _ = overlapped(*(press(None, mail["code"], "browser0", n) for n in ("h3", "h4")))
    ok(one["ok"] and not two["ok"], "F53 and so does a code", (one, two))
    for link in (True, False):
        (mail,) = links("wh", 1)
        value("update auth.requests set attempts = 4 where used_at is null returning 1")
        link, flow = (mail["hash"], "another") if link else (None, "browser0")
        _, two, _ = overlapped(press(link, "AAAA-AAAA", flow, "h5"), press(link, mail["code"], flow, "h6"))
        ok(two == {"ok": False, "attempts_left": None}, "F52 no guess follows the fifth, however fast", two)


def test_f40_a_user_has_twenty_sessions():
    manager("wi")
    user = value("select id from auth.users where email = 'wi@example.org'")
    for n in range(20):
        value("select auth.open_session(%s, %s, '{link}', null, null, true)", user, sha256(b"wi%d" % n).digest())
    first, second = links("wi", 2)
    overlapped(press(first["hash"], None, "browser0", "i1"), press(second["hash"], None, "browser1", "i2"))
    live = value("select count(*) from auth.sessions where user_id = %s and revoked_at is null", user)
    ok(live == 20, "F40 a user who signs in twice at once has twenty sessions", live)
    (mail,) = links("wi", 1)
    _, two, _ = overlapped(("update auth.users set disabled_at = now() where id = %s returning 1", user),
                           press(mail["hash"], None, "browser0", "i3"))
    ok(not two["ok"], "F53 who is disabled at that moment stays outside", two)


def test_f41_pages_on_a_token_that_is_due_wait_for_nothing():
    _, bearer = manager("wx")
    value("update auth.tokens set issued_at = now() - interval '15 min' where hash = sha256(decode(%s, 'hex')) "
          "returning 1", bearer)

    def page(secret):
        return ("with offered as materialized (select set_config('app.candidate', %s, true)) select tap.ask("
                "'tollgate_account', 'api.workspace_page()', %s) from offered", secret.hex(), bearer)

    offered = [sha256(b"wx%d" % n).digest() for n in range(2)]
    one, two, waited = overlapped(*map(page, offered))
    ok("tenants" in one and "tenants" in two and not waited, "F41 both pages answer, the second at once", (one, two))
    tokens = value("select count(*) from auth.tokens where hash = any (%s)", offered)
    ok(tokens == 1, "F41 with one candidate between them", tokens)


def test_f36_a_code_renews_a_session_once():
    _, bearer = manager("wy")
    value("select tap.ask('tollgate_signin', 'api.request_confirm()', %s)", bearer)
    code = value("select tap.mailed('wy@example.org')")["code"]
    confirm = ("select tap.ask('tollgate_signin', format('api.confirm_code(%%L, %%L, null, null, null)', %s::text, "
               "sha256(%s)), %s)")
    one, two, _ = overlapped(*((confirm, code, new, bearer) for new in (b"y1", b"y2")))
    ok(one["ok"] and not two["ok"], "F36 a code that is sent twice at once renews once", (one, two))


def test_s03_the_fifth_link_of_strangers_is_made_once():
    manager("wk")
    value("update auth.links set expires_at = now() where true returning 1")
    asked = [value("insert into auth.requests (purpose, email, email_canonical) values ('signin', 'wk@example.org', "
                   "'wk@example.org') returning id") for _ in range(6)]
    for request in asked[:4]:
        value("select auth.mint_link(%s)", request)
    one, two, waited = overlapped(*(("select auth.mint_link(%s)", request) for request in asked[4:]))
    ok(waited and one and two is None, "S03 of two links of strangers at once one is the fifth", (one, two))


def test_one_row_however_many_say_it():
    tenant = manager("wj")[0]
    one, two, waited = overlapped(*[("select tap.user('wj2@example.org')::text",)] * 2)
    ok(waited and one == two, "C53 two that make a user at once make one", (one, two))
    one, two, waited = overlapped(*[("select auth.add_user('wj4@example.org')",)] * 2)
    ok(waited and one and not two, "S01 and one of the two made it", (one, two))
    alert = "select ops.raise_alert(null, 'waits', 'wj', '{\"n\": 1}'), ops.raise_alert(null, 'waits', 'wj', '{}')"
    _, two, waited = overlapped((alert,), (alert,))
    ok(waited and value("select count(*) from ops.alerts where kind = 'waits'") == 1, "C99 an alert is one", two)
    one, two, waited = overlapped(*[("select billing.tell(%s, 'canceled', 'sub_wj_x', '{}')", tenant)] * 2)
    ok(waited and one is True and two is False, "C41 a fact is told once", (one, two))
    value("delete from auth.hits where true returning 1")
    value("insert into auth.hits select 'link_near', sha256('link_near:wj'), now() + per - per / allowed "
          "from auth.limits where kind = 'link_near' returning 1")
    one, two, _ = overlapped(*[("select auth.allow('link_near', 'wj')",)] * 2)
    ok(one is True and two is False, "F51 the last unit of a limit is taken once", (one, two))
    wish = ("select tap.open_draft('wj3', 'wj3@example.org')",)
    one, two, waited = overlapped(wish, wish)
    ok(waited and one == two and one["attempt"] == 1, "C16 a wish is one draft", (one, two))
    one, two, _ = overlapped(*(("select tap.ask('tollgate_signup', format('api.checkout_opened(%%L, 1, %%L)', "
                                "'wj3'::bytea, %s::text))", session) for session in ("cs_wj1", "cs_wj2")))
    ok(one is None and two == "TG409", "F99 an attempt has one session", (one, two))
    value("update billing.checkouts set status = 'expired' where key = 'wj3' returning 1")
    one, two, _ = overlapped(wish, wish)
    ok(one == two and one["attempt"] == 2, "C16 and one next attempt", (one, two))
    event = ("select tap.receive('evt_wj', 'customer', 'cus_wj_event')",)
    one, two, _ = overlapped(event, event)
    ok(not one["duplicate"] and two["duplicate"] and value("select version from sync.objects "
                                                           "where id = 'cus_wj_event'") == 1,
       "F72 an event is one, and marks once", (one, two))
    overlapped(*[("select sync.mark('customer', 'cus_wj_mark')",)] * 2)
    ok(value("select version from sync.objects where id = 'cus_wj_mark'") == 2, "F73 two marks are two")
    said = ("select ops.put_override(%s, true, null, null, 'a test', %s)", tenant)
    _, two, _ = overlapped((*said, "a"), (*said, "b"))
    ok(isinstance(two, dict) and value("select count(*) from billing.override_history where tenant_id = %s "
                                       "and to_at is null", tenant) == 1, "C44 and an override is one", two)
    one, two, _ = overlapped(*(("select tap.ask('tollgate_jobs', format('service.match_account(%%L, true)', "
                                "%s::text))", account) for account in ("acct_1", "acct_2")))
    ok((one, two) == (None, "acct_1"), "F74 and the account is the first one's", (one, two))
    value("update meta.stamp set account = null returning 1")


def test_s01_two_purchases_with_one_address():
    """First the address is nobody's, then it is a user's."""
    for turn in ("a", "b"):
        value("delete from auth.hits where true returning 1")
        drafts = [value("select tap.open_draft(%s, 'wz@example.org') ->> 'tenant'", f"wz{turn}{n}") for n in (1, 2)]
        overlapped(*[("select billing.promote(%s, null)", tenant) for tenant in drafts])
    names = value("select array_agg(name order by name) from app.tenants where name like 'wz%%'")
    ok(names == ["wz", "wz 2", "wz 3", "wz 4"], "S01 purchases at once get names of their own", names)
    owned = value("select count(*) from app.members m join auth.users u on u.id = m.user_id "
                  "where u.email = 'wz@example.org'")
    offered = value("select count(*) from app.offers where email = 'wz@example.org'")
    ok((owned, offered) == (1, 3), "S01 one makes the address a user's, the others are offered", (owned, offered))


run(globals())
