"""The billing page and the way into Stripe's portal."""
import json
import re
from datetime import UTC, datetime

import pytest
import requests
from journey import (become_customer, days_pass, next_link, press_link, renewal_passes, session_in, sign_in, sign_up,
                     wait_until)

API = "/api/billing/session"
MONTHS = {"en": ["January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
                 "November", "December"],
          "de": ["Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober",
                 "November", "Dezember"]}


def billing(browser, language="en"):
    """What the page says: {"plan", "status", "class"}, and what comes next with its date, under the line's id."""
    page = browser.get(f"/{language}/settings/billing")
    assert page.status == 200, page
    main = page.html.one("main")
    status = main.one(id="status")
    said = {"plan": main.one("h2", id="plan-name").text, "status": status.text,
            "class": status.get("class").split()[-1]}
    for line in (p for p in main.all("p", id=None) if p.get("id").endswith("-on")):
        if not line.all("time"):
            said[line.get("id")] = None
            continue
        moment = datetime.fromisoformat(line.one("time").get("datetime"))
        month = MONTHS[language][moment.month - 1]
        assert re.fullmatch(rf"{moment.day}\.? {month} {moment.year}", line.one("time").text)
        said[line.get("id")] = moment.timestamp()
    return said


def says(browser, seconds=30, **wanted):
    """Waits until the page says all of that; a value of None: not there."""
    return wait_until(lambda: (said := billing(browser)) and all(said.get(k.replace("_", "-")) == v for k, v in
                                                                 wanted.items()) and said, seconds)


@pytest.fixture
def subscription(customer, sim, db):
    """The id of the signed-in customer's subscription."""
    def mine():
        return db.value("select s.id from billing.subscriptions s join billing.checkouts c "
                        "on c.tenant_id = s.tenant_id where c.email_canonical = %s", customer[1])
    return wait_until(mine)


def period_end(sim, subscription):
    return sim.object("subscription", subscription)["items"]["data"][0]["current_period_end"]


def test_c97_the_page_shows_plan_status_and_period(customer, sim, subscription):
    browser, email = customer
    end = period_end(sim, subscription)
    said = says(browser, plan="Starter", status="Active")
    assert said == {"plan": "Starter", "status": "Active", "class": "good", "renews-on": end}
    line = browser.get("/settings/billing").html.one("main").one(id="renews-on").text
    day = datetime.fromtimestamp(end, UTC)
    assert line == f"Your plan renews on {day.day} {day:%B %Y} for $19.00."
    assert email in browser.get("/settings/billing").html.one("main").text


def test_c97_the_page_needs_no_stripe(customer, db, sim, subscription):
    browser, _ = customer
    says(browser, status="Active")
    sim.quiet()
    wait_until(lambda: db.value("select count(*) from sync.objects where version > clean_version "
                                "and dead_at is null") == 0)
    before = sim.requests()
    assert browser.get("/settings/billing").status == 200
    assert sim.requests() == before


def test_c97_in_german(customer, subscription):
    browser, _ = customer
    says(browser, status="Active")
    page = browser.get("/de/settings/billing")
    assert page.html.one("html").get("lang") == "de"
    assert billing(browser, "de")["status"] == "Aktiv"


@pytest.mark.parametrize("way", ["cancel_at", "cancel_at_period_end"])
def test_c45_ends_on_shows_in_either_of_stripes_two_ways(customer, sim, subscription, way):
    browser, _ = customer
    end = period_end(sim, subscription)
    sim.post("settings", billing_mode="flexible")
    sim.post(f"subscriptions/{subscription}/{way}")
    now = sim.object("subscription", subscription)
    assert (now["cancel_at"] if way == "cancel_at" else now["cancel_at_period_end"])
    says(browser, ends_on=end, renews_on=None, status="Active", plan="Starter")
    sim.post(f"subscriptions/{subscription}/renew")
    says(browser, ends_on=None, renews_on=end, status="Active")


def test_c45_with_cancel_at_alone(browser, sim, db, mail, fresh):
    """Flexible billing leaves cancel_at_period_end false."""
    email = fresh()
    become_customer(browser, sim, db, email)
    sign_in(browser, mail, email)
    ident = wait_until(lambda: db.value("select id from billing.subscriptions where tenant_id = %s",
                                        db.tenant_of(email)))
    sim.post(f"subscriptions/{ident}/cancel_at")
    assert sim.object("subscription", ident)["cancel_at_period_end"] is False
    says(browser, ends_on=sim.object("subscription", ident)["cancel_at"])


def test_c45_a_plan_change_shows(customer, sim, subscription):
    browser, _ = customer
    sim.post(f"subscriptions/{subscription}/change", price="price_growth")
    says(browser, plan="Growth", status="Active")
    assert "Growth" in browser.get("/workspace").html.one("main").text


def test_c45_a_cancellation_at_once_shows(customer, sim, subscription):
    browser, _ = customer
    sim.post(f"subscriptions/{subscription}/cancel")
    said = says(browser, status="Canceled", ends_on=None, renews_on=None)
    assert said["class"] == "bad"
    assert abs(said["ended-on"] - sim.get("clock")["now"]) < 60


def at_stripe(stack, path, form):
    """A change made by hand at Stripe: the object."""
    answer = requests.post(f"{stack['stripe_url']}/v1/{path}", auth=(stack["stripe_key"], ""), timeout=30,
                           headers={"Stripe-Version": "2026-07-29.dahlia"}, data=form)
    assert answer.ok, answer.text
    return answer.json()


def test_d19_an_unknown_price_keeps_the_plan(customer, sim, db, stack, subscription):
    """A price that was made in Stripe's Dashboard."""
    browser, _ = customer
    says(browser, plan="Starter")
    price = at_stripe(stack, "prices", {"currency": "usd", "unit_amount": 700, "recurring[interval]": "month",
                                        "product": sim.object("price", "price_starter")["product"]})["id"]
    sim.post(f"subscriptions/{subscription}/change", price=price)
    wait_until(lambda: db.value("select price from billing.subscriptions where id = %s", subscription) == price)
    assert billing(browser)["plan"] == "Starter"


def test_c40_a_plan_beyond_the_first_ten_items_counts(customer, sim, db, stack, subscription):
    """Stripe shows the first ten only."""
    browser, _ = customer
    says(browser, plan="Starter")
    first = sim.object("subscription", subscription)["items"]["data"][0]["id"]
    names = [f"{subscription}_{n}" for n in range(10)]
    for name in names:
        sim.post("plans", name=name, price="price_" + name, amount=100)
    at_stripe(stack, "subscriptions/" + subscription, {
        "items[0][id]": first, **{f"items[{n}][price]": "price_" + name for n, name in enumerate(names)},
        "items[10][price]": "price_growth"})
    says(browser, plan="Growth", status="Active")
    asked = sim.requests("GET", "/v1/subscription_items")[-1]["params"]
    assert asked == {"subscription": subscription, "limit": "100"}


def test_c37_the_operator_is_told_of_an_invoice_until_it_is_final(calm, customer, sim, db, subscription):
    says(customer[0], status="Active")
    sim.quiet()
    invoice = sim.object("subscription", subscription)["latest_invoice"]
    wait_until(lambda: db.value("select version = clean_version from sync.objects where id = %s", invoice))
    told = ("select detail ->> 'code' from ops.alerts where kind = 'finalization_failed' and subject = %s "
            "and cleared_at is null")
    sim.fault(method="GET", path="/v1/invoices/" + invoice, answer="real", set={
        "status": "draft", "last_finalization_error": {
            "code": "customer_tax_location_invalid", "message": "Where is it?", "type": "invalid_request_error"}})
    sim.post("emit", type="invoice.finalization_failed", object={"id": invoice, "object": "invoice"})
    wait_until(lambda: db.value(told, invoice) == "customer_tax_location_invalid")
    sim.post("emit", type="invoice.finalized", object={"id": invoice, "object": "invoice"})
    wait_until(lambda: db.value(told, invoice) is None)


STATUSES = [("trialing", "Trial", "good"), ("past_due", "Payment overdue", "warn"), ("unpaid", "Unpaid", "bad"),
            ("paused", "Paused", "bad"), ("incomplete", "Payment not finished", "warn"),
            ("incomplete_expired", "Payment never finished", "bad"), ("canceled", "Canceled", "bad"),
            ("a_word_of_tomorrow", "Being checked", "warn")]


@pytest.mark.parametrize("status, label, colour", STATUSES)
def test_c44_every_status_has_its_words(customer, sim, db, subscription, status, label, colour):
    browser, _ = customer
    says(browser, status="Active")
    sim.quiet()
    wait_until(lambda: db.value("select count(*) from sync.objects where version > clean_version and dead_at is null "
                                "and next_at < now() + interval '2 s'") == 0)       # nothing will be fetched any more
    db.execute("update billing.subscriptions set status = %s where id = %s", status, subscription)
    said = billing(browser)
    assert (said["status"], said["class"]) == (label, colour)
    assert label in browser.get("/workspace").html.one("main").text


@pytest.mark.parametrize("days, until", [(40, "until "), (None, "until further notice")])
def test_c44_paused_collection_is_said_and_no_payment_is_announced(customer, sim, subscription, days, until):
    browser, _ = customer
    says(browser, status="Active")
    resumes = days and int(sim.get("clock")["now"]) + days * 86400
    sim.post(f"subscriptions/{subscription}/pause", behavior="keep_as_draft", resumes_at=resumes)
    said = says(browser, status="Payments paused", renews_on=None)
    assert (said["class"], said["collection-resumes-on"]) == ("warn", resumes)
    page = browser.get("/settings/billing").html.one("main")
    assert until in page.one(id="collection-resumes-on").text and "$" not in page.all("section")[0].text
    sim.post(f"subscriptions/{subscription}/unpause")
    says(browser, status="Active", collection_resumes_on=None)


def primary_of(browser):
    """The texts of the page's main buttons."""
    page = browser.get("/settings/billing").html.one("main")
    return [e.text for e in page.walk() if "primary" in e.get("class", "").split()]


def test_c44_each_state_has_one_main_button(customer, sim, db, subscription):
    browser, _ = customer
    says(browser, status="Active")
    assert primary_of(browser) == ["Manage Subscription"]
    sim.post(f"subscriptions/{subscription}/fail_next", times=9)
    days_pass(sim, db, 32)
    says(browser, status="Payment overdue")
    wait_until(lambda: primary_of(browser) == ["Pay the open invoice · $19.00"])
    assert browser.get("/settings/billing").html.one(id="pay").get("href").startswith(sim.url + "/i/")
    sim.post(f"subscriptions/{subscription}/cancel")
    says(browser, status="Canceled")
    assert primary_of(browser) == ["Continue to checkout"]


def test_c97_before_anything_was_bought_there_is_a_way_to_buy(browser, db, mail, fresh):
    email = fresh()
    db.execute("insert into auth.users (email, email_canonical) values (%s, %s)", email, email)
    sign_in(browser, mail, email)
    page = browser.get("/settings/billing")
    assert page.status == 200
    assert page.html.one("main").one("a").get("href").endswith("/signup")
    workspace = browser.get("/workspace")
    assert workspace.status == 200 and "There is no plan" in workspace.html.one("main").text


def test_c19_the_button_leads_to_the_portal(customer, sim, stack, db, subscription):
    browser, email = customer
    page = browser.submit(browser.get("/settings/billing"))
    assert page.status == 303
    assert page.location.startswith(stack["stripe_url"] + "/p/session/")
    asked = sim.requests("POST", "/v1/billing_portal/sessions")[-1]
    assert asked["params"] == {"customer": sim.object("subscription", subscription)["customer"],
                               "return_url": stack["url"] + "/settings/billing?from=portal", "locale": "en"}
    portal = browser.follow(page)
    assert email in portal.text


def test_c24_a_portal_that_offers_plans_is_no_drift_until_it_offers_another(stack, sim, db):
    offered = "features[subscription_update][products]"
    product, other = (sim.object("price", name)["product"] for name in ("price_starter", "price_growth"))
    made = at_stripe(stack, "billing_portal/configurations", {
        "features[invoice_history][enabled]": "true", "features[subscription_update][enabled]": "true",
        "features[subscription_update][default_allowed_updates][0]": "price",
        offered + "[0][product]": product, offered + "[0][prices][0]": "price_starter"})["id"]

    def drift(where):
        sim.quiet()     # or the event of its creation has it fetched just before the change
        version = db.value("select version from sync.objects where id = %s", made) or 0
        where()
        wait_until(lambda: db.value("select clean_version > %s and version = clean_version from sync.objects "
                                    "where id = %s", version, made))
        return db.value("select count(*) from ops.alerts where subject = %s and cleared_at is null",
                        "portal_configuration:" + made)
    assert drift(lambda: db.execute("select ops.put_portal_configuration(%s, %s)", made, json.dumps({"features": {
        "subscription_update": {"enabled": True, "default_allowed_updates": ["price"],
                                "products": [{"product": product, "prices": ["price_starter"]}]}}}))) == 0
    assert drift(lambda: at_stripe(stack, "billing_portal/configurations/" + made, {
        "features[subscription_update][enabled]": "true",
        "features[subscription_update][default_allowed_updates][0]": "price",
        offered + "[0][product]": product, offered + "[0][prices][0]": "price_starter",
        offered + "[1][product]": other, offered + "[1][prices][0]": "price_growth"})) == 1


def ask_json(browser, body=b"{}", **headers):
    return browser.post(API, body, **{"Content_Type": "application/json", "Accept": "application/json", **headers})


def test_c19_as_json(customer, stack):
    page = ask_json(customer[0])
    assert page.status == 200
    assert page.header("Content-Type") == "application/json"
    assert list(page.json) == ["redirectUrl"]
    assert page.json["redirectUrl"].startswith(stack["stripe_url"] + "/p/session/")


@pytest.mark.parametrize("accept", ["application/json", "text/html", "*/*"])
def test_c20_without_a_session_401_exactly(browser, sim, accept):
    before = sim.changes()
    page = browser.post(API, b"{}", Content_Type="application/json", Accept=accept)
    assert page.status == 401
    assert page.body == b'{"error":"Authentication required"}'
    assert page.header("Content-Type") == "application/json"
    scheme, realm = page.header("WWW-Authenticate").split(" ", 1)
    assert (scheme, realm) == ("Cookie", f'realm="{browser.base}", form-action="/signin", cookie-name="__Host-sid"')
    assert sim.changes() == before


def test_c20_with_an_unknown_session(browser):
    browser.set_cookie("__Host-sid", "A" * 43)
    page = browser.post(API, b"", Accept="application/json")
    assert (page.status, page.json) == (401, {"error": "Authentication required"})


def test_c21_without_a_customer_400_exactly(browser, db, sim, mail, fresh):
    email = fresh()
    db.execute("insert into auth.users (email, email_canonical) values (%s, %s)", email, email)
    sign_in(browser, mail, email)
    before = sim.changes()
    page = ask_json(browser)
    assert page.status == 400
    assert page.body == b'{"error":"Billing profile not initialized"}'
    assert sim.changes() == before


FAULTS = {"500": {"answer": "status", "status": 500}, "401": {"answer": "status", "status": 401},
          "a web page": {"answer": "html"}, "closed": {"answer": "close"},
          "a page elsewhere": {"answer": "real", "set": {"url": "https://evil.example/p"}}}


@pytest.mark.parametrize("how", FAULTS)
def test_c22_when_stripe_fails_503_exactly(customer, sim, stack, how):
    browser, _ = customer
    sim.fault(method="POST", path="/v1/billing_portal/sessions", times=9, **FAULTS[how])
    try:
        page = ask_json(browser)
        form = browser.submit(browser.get("/settings/billing"))
    finally:
        sim.delete("faults")
    assert page.status == 503
    assert page.body == b'{"error":"Billing service unavailable"}'
    assert page.header("Retry-After") == "5"
    assert form.status == 503 and form.header("Retry-After") == "5"
    assert "Billing service unavailable" in form.html.one("p", role="alert").text
    assert form.form("/settings/billing"), "the button is still there"
    assert b"evil" not in form.body
    assert wait_until(lambda: ask_json(browser).status == 200, 15), "and works when Stripe does"


def test_s02_a_tenant_causes_only_so_many_calls(customer, other, sim, mail, limit):
    browser, email = customer
    sign_in(other, mail, email)
    waits = limit("call_tenant", 1)
    before = sim.changes()
    assert ask_json(browser).status == 200
    page = ask_json(other)
    assert (page.status, page.body) == (429, b'{"error":"Too many requests","code":"limit"}')
    form = other.submit(other.get("/settings/billing"))
    assert form.status == 429 and waits(page) and waits(form)
    assert "Too many requests for payment pages" in form.html.one("p", role="alert").text
    assert form.form("/settings/billing"), "the button is still there"
    assert sim.changes() == before + 1


HOSTILE = ["//evil.example", "https://evil.example", "\\evil.example", "/%2F/evil.example"]


@pytest.mark.parametrize("field", ["return_url", "returnUrl", "customer", "configuration"])
def test_c23_nothing_from_the_client_reaches_stripe(customer, sim, stack, field):
    browser, _ = customer
    before = len(sim.requests("POST", "/v1/billing_portal/sessions"))
    for value in HOSTILE:
        ask_json(browser, b'{"%s": "%s"}' % (field.encode(), value.replace("\\", "\\\\").encode()))
        browser.submit(browser.get("/settings/billing"), {field: value})
    calls = sim.requests("POST", "/v1/billing_portal/sessions")[before:]
    assert len(calls) >= len(HOSTILE)
    for asked in calls:
        assert asked["params"]["return_url"] == stack["url"] + "/settings/billing?from=portal"
        assert "evil" not in asked["body"]


def test_d14_a_plain_member_gets_no_portal(customer, subscription, new_browser, db, sim, mail, fresh):
    """Another member of the tenant, with the role member: may look but not manage."""
    owner, email = customer
    guest = fresh("guest")
    db.execute("insert into auth.users (email, email_canonical) values (%s, %s)", guest, guest)
    db.execute("insert into app.members (tenant_id, user_id, role) select %s, id, 'member' from auth.users "
               "where email_canonical = %s", db.tenant_of(email), guest)
    browser = new_browser()
    sign_in(browser, mail, guest)
    page = browser.get("/settings/billing")
    assert "Starter" in page.text and page.html.all(id="manage") == []
    before = sim.changes()
    assert ask_json(browser).status == 403
    assert browser.post("/settings/billing", {"csrf": browser.get("/signout").form().fields["csrf"]}).status == 403
    main = browser.get("/settings/billing").html.one("main")
    assert "owners and administrators" in main.one("p", id="for-managers").text and "no invoices yet" not in main.text
    assert sim.changes() == before
    assert guest in browser.get("/workspace").text


def test_d14_an_admin_may(customer, new_browser, db, mail, fresh):
    _, email = customer
    admin = fresh("admin")
    db.execute("insert into auth.users (email, email_canonical) values (%s, %s)", admin, admin)
    db.execute("insert into app.members (tenant_id, user_id, role) select %s, id, 'admin' from auth.users "
               "where email_canonical = %s", db.tenant_of(email), admin)
    browser = new_browser()
    sign_in(browser, mail, admin)
    assert ask_json(browser).status == 200


def test_c13_a_stranger_sees_nothing_of_it(customer, new_browser, sim, db, mail, fresh):
    _, email = customer
    stranger, address = new_browser(), fresh("stranger")
    become_customer(stranger, sim, db, address, "growth")
    sign_in(stranger, mail, address)
    says(stranger, plan="Growth")
    for path in ("/settings/billing", "/workspace"):
        text = stranger.get(path).text
        assert email not in text and "Starter" not in text


def test_c36_a_second_subscription_counts_once_accepted(customer, sim, db, mail, new_browser, subscription):
    """Bought again with the same address: one more tenant, which the mailed link makes the one that pages show."""
    browser, email = customer
    sim.post(f"subscriptions/{subscription}/cancel")
    says(browser, status="Canceled")
    again = new_browser()
    session = session_in(sign_up(again, email, "growth"))
    seen = len(mail.to(email))
    sim.pay(session)
    assert press_link(again, next_link(mail, email, seen)).status == 303
    says(browser, plan="Growth", status="Active")


def test_c37_a_failed_renewal_shows_and_heals(customer, sim, db, subscription):
    browser, _ = customer
    says(browser, status="Active")
    sim.post(f"subscriptions/{subscription}/fail_next", times=1)
    renewal_passes(sim, db, subscription)
    says(browser, status="Payment overdue")
    days_pass(sim, db, 4)
    said = says(browser, status="Active")
    assert said["renews-on"] == period_end(sim, subscription)
