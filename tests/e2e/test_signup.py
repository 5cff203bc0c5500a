"""Sign-up: from a plain form to a Checkout Session, once."""
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qsl

import pytest
from faults import kill
from journey import query_of, session_in, sign_up, wait_until

BUTTON = "Continue to checkout"


@pytest.mark.parametrize("path, language", [("/signup", "en"), ("/en/signup", "en"), ("/de/signup", "de")])
def test_c01_the_form_is_there_in_each_language(browser, path, language):
    page = browser.get(path)
    assert page.status == 200
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert page.header("Content-Language") == language
    assert page.html.one("html").get("lang") == language


def test_c01_without_a_prefix_the_browser_chooses_the_language(new_browser):
    assert new_browser(language="fr, de-AT;q=0.8, en;q=0.2").get("/signup").html.one("html").get("lang") == "de"


@pytest.mark.parametrize("path", ["/fr/signup", "/xx/signup", "/EN/signup", "/deutsch/signup", "/de/de/signup", "/fr"])
def test_c01_an_unknown_language_is_not_found(browser, path):
    page = browser.get(path)
    assert page.status == 404
    assert page.html.one("h1").text in ("There is no such page", "Diese Seite gibt es nicht")


def test_c02_a_signed_in_visitor_is_redirected_to_the_workspace(customer):
    browser, _ = customer
    page = browser.get("/signup")
    assert (page.status, page.location) == (303, "/workspace")


def test_c02_who_is_signed_in_without_a_tenant_may_sign_up(customer, db):
    browser, email = customer
    db.execute("delete from app.members where tenant_id = %s", db.tenant_of(email))
    leads = browser.get("/workspace").html.one("main").one("a", **{"class": "button"}).get("href")
    page = browser.get(leads)
    assert (page.status, page.html.one("h1").text) == (200, "Create your account")
    assert session_in(browser.submit(page, {"email": email, "plan": "growth"}))


def test_c03_the_form_is_plain_html(browser):
    page = browser.get("/signup")
    form = page.html.one("main").one("form")
    assert form.get("method") == "post"
    assert page.html.all("script") == []
    email = form.one("input", name="email")
    assert (email.get("type"), email.get("required"), email.get("value")) == ("email", "", "")
    plans = form.all("input", name="plan")
    assert [(p.get("value"), p.get("type"), p.get("required"), p.get("checked")) for p in plans] == [
        ("starter", "radio", "", None), ("growth", "radio", "", None)]
    assert form.one("fieldset").one("legend").text == "Plan"
    assert form.one("button").text == BUTTON
    for field in (email, *plans):
        assert form.one("label", **{"for": field.get("id")}).text


def test_c03_an_address_may_name_the_plan(browser):
    assert browser.get("/signup?plan=growth").form().fields["plan"] == "growth"
    assert "plan" not in browser.get("/signup?plan=enterprise").form().fields


@pytest.mark.parametrize("path, amount", [("/en/signup", "$49.00 a month"), ("/de/signup", "49,00 $ pro Monat")])
def test_c17_page_checkout_and_invoice_say_the_same_amount(browser, sim, fresh, path, amount):
    form = browser.get(path).form().element
    assert form.one("label", **{"for": "plan-growth"}).one("span", **{"class": "price"}).text == amount
    session = session_in(sign_up(browser, fresh(), "growth", at=path))
    asked = sim.object("checkout.session", session)
    assert (asked["amount_total"], asked["currency"]) == (4900, "usd")
    assert sim.pay(session)["paid"]
    invoice = sim.object("invoice", sim.object("checkout.session", session)["invoice"])
    assert (invoice["total"], invoice["amount_paid"], invoice["currency"]) == (4900, 4900, "usd")
    line, = invoice["lines"]["data"]
    assert line["period"]["end"] - line["period"]["start"] in [days * 86400 for days in (28, 29, 30, 31)]


WRONG = [
    ({"email": ""}, "email", "Please enter your e-mail address."),
    ({"email": None}, "email", "Please enter your e-mail address."),
    ({"email": "   "}, "email", "Please enter your e-mail address."),
    ({"email": "nobody"}, "email", "This does not look like an e-mail address."),
    ({"email": "a@b@c.example"}, "email", "This does not look like an e-mail address."),
    ({"email": "<b>\"x\"&'@example.com"}, "email", "This does not look like an e-mail address."),
    ({"plan": ""}, "plan", "Please choose a plan."),
    ({"plan": None}, "plan", "Please choose a plan."),
    ({"plan": "enterprise"}, "plan", "This plan does not exist."),
    ({"plan": "Starter"}, "plan", "This plan does not exist."),
    ({"plan": "price_starter"}, "plan", "This plan does not exist."),
]


def untouched(db, sim):
    """What a refused form must not change."""
    return db.row("select (select count(*) from app.tenants), (select count(*) from billing.checkouts)"), sim.changes()


@pytest.mark.parametrize("fields, name, reason", WRONG)
def test_c04_a_wrong_field_is_shown_with_its_reason_and_nothing_happens(browser, db, sim, fresh, fields, name, reason):
    values = {"email": fresh(), "plan": "growth", **fields}
    before = untouched(db, sim)
    page = browser.submit(browser.get("/signup"), values)
    assert page.status == 422
    form = page.form().element
    field = next(e for e in form.walk() if e.get("name") == name)
    assert field.get("aria-invalid") == "true"
    beside = form.one(id=field.get("aria-describedby"))
    assert beside.parent is field.parent and reason in beside.text
    assert page.form().fields["email"] == (values["email"] or "").strip() or name == "email"
    assert untouched(db, sim) == before


def test_c04_values_are_kept_and_escaped(browser, fresh):
    given = '"><script>alert(1)</script>&amp;@example.com'
    page = browser.submit(browser.get("/signup"), {"email": given, "plan": "growth"})
    assert page.status == 422
    assert page.form().fields["email"] == given
    assert page.form().fields["plan"] == "growth"
    assert page.html.all("script") == [] and b"<script" not in page.body


def test_c04_a_corrected_form_goes_through(browser, fresh):
    page = browser.submit(browser.get("/signup"), {"email": "wrong", "plan": "starter"})
    assert browser.submit(page, {"email": fresh()}).status == 303


def test_c05_a_draft_tenant_is_written_before_anybody_is_a_user(browser, db, fresh):
    email = fresh()
    sign_up(browser, email)
    assert db.status_of(email) == "draft"
    assert db.value("select count(*) from auth.users where email_canonical = %s", email) == 0
    assert db.value("select count(*) from app.members where tenant_id = %s", db.tenant_of(email)) == 0


@pytest.mark.parametrize("field", ["price", "line_items[0][price]", "customer", "amount", "tenant_id"])
def test_c06_a_price_of_the_clients_own_is_refused(browser, db, sim, fresh, field):
    before = untouched(db, sim)
    page = browser.submit(browser.get("/signup"), {"email": fresh(), "plan": "starter", field: "price_growth"})
    assert page.status == 422
    assert page.html.one("p", role="alert").text
    assert untouched(db, sim) == before


@pytest.mark.parametrize("plan", ["starter", "growth"])
def test_c07_the_session_is_asked_for_to_the_letter(browser, db, sim, stack, fresh, plan):
    email = fresh()
    sign_up(browser, email, plan, at="/de/signup")
    asked, = sim.sessions_of(email)
    tenant = str(db.tenant_of(email))
    assert dict(parse_qsl(asked["body"], strict_parsing=True)) == {
        "mode": "subscription", "line_items[0][price]": f"price_{plan}", "line_items[0][quantity]": "1",
        "customer_email": email, "client_reference_id": tenant,
        "metadata[tenant_id]": tenant, "metadata[plan]": plan,
        "subscription_data[metadata][tenant_id]": tenant, "subscription_data[metadata][plan]": plan,
        "success_url": stack["url"] + "/de/welcome?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": stack["url"] + f"/de/signup?plan={plan}&from=checkout", "locale": "de"}
    assert asked["status"] == 200
    assert asked["headers"]["stripe-version"] == "2026-07-29.dahlia"
    assert tenant in asked["headers"]["idempotency-key"]


def test_c08_the_placeholder_in_the_return_address_stays_literal(browser, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    assert sim.object("checkout.session", session)["success_url"].endswith("?session_id={CHECKOUT_SESSION_ID}")
    assert query_of(sim.pay(session)["return_url"]) == {"session_id": session}


def test_c09_the_subscription_itself_names_the_tenant(browser, db, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    sim.pay(session)
    subscription = sim.object("checkout.session", session)["subscription"]
    assert sim.object("subscription", subscription)["metadata"] == {"tenant_id": str(db.tenant_of(email)),
                                                                    "plan": "starter"}


def test_c10_the_answer_is_a_real_303_to_stripes_page(browser, sim, stack, fresh):
    page = sign_up(browser, fresh())
    assert page.status == 303
    assert page.location.startswith(f"{stack['stripe_url']}/c/pay/cs_")
    assert page.location == sim.object("checkout.session", session_in(page))["url"], "to the letter, fragment and all"
    assert "Pay with a good card" in browser.follow(page).text


@pytest.mark.parametrize("path", ["/api/signup", "/api/checkout", "/signup.json", "/en/api/signup"])
def test_c11_no_json_endpoint_makes_a_checkout(browser, db, sim, fresh, path):
    before = untouched(db, sim)
    body = b'{"email": "%s", "plan": "starter"}' % fresh().encode()
    assert browser.get(path).status == 404
    assert browser.post(path, body, Content_Type="application/json", Accept="application/json").status == 404
    assert untouched(db, sim) == before


def test_c11_the_form_itself_takes_no_json(browser, db, sim, fresh):
    browser.get("/signup")
    before = untouched(db, sim)
    body = b'{"email": "%s", "plan": "starter"}' % fresh().encode()
    assert browser.post("/signup", body, Content_Type="application/json").status == 415
    assert untouched(db, sim) == before


def one_draft_and_session(db, sim, email):
    """Exactly one of each: rows here, objects at Stripe, whatever number of calls."""
    (_, attempt, session), = db.drafts_of(email)
    sessions = [s["id"] for s in sim.get("state/checkout.session") if s["customer_email"] == email]
    return attempt == 1 and sessions == [session]


def test_c16_a_second_click_finds_the_same_draft_and_session(browser, db, sim, fresh):
    email = fresh()
    form = browser.get("/signup")
    first = browser.submit(form, {"email": email, "plan": "starter"})
    second = browser.submit(form, {"email": email, "plan": "starter"})
    assert (first.status, second.status) == (303, 303)
    assert first.location == second.location
    assert one_draft_and_session(db, sim, email)


def test_c16_going_back_and_sending_again_finds_them_too(browser, db, sim, fresh):
    email = fresh()
    first = sign_up(browser, email)
    second = sign_up(browser, email.upper().replace("EXAMPLE.COM", "Example.com"))
    assert first.location == second.location
    assert one_draft_and_session(db, sim, email)


def test_c16_ten_clicks_at_once_make_one(browser, db, sim, fresh):
    email = fresh()
    form = browser.get("/signup")
    with ThreadPoolExecutor(10) as pool:
        pages = list(pool.map(lambda _: browser.submit(form, {"email": email, "plan": "growth"}), range(10)))
    assert {p.status for p in pages} <= {303, 503}, "those beyond the calls in flight are asked to press again"
    location, = {p.location for p in pages if p.status == 303}
    assert browser.submit(form, {"email": email, "plan": "growth"}).location == location
    assert one_draft_and_session(db, sim, email)


def test_c16_another_plan_makes_another_draft(browser, db, fresh):
    email = fresh()
    assert sign_up(browser, email, "starter").location != sign_up(browser, email, "growth").location
    assert len(db.drafts_of(email)) == 2


def test_c16_another_browser_does_not_get_the_same_draft(browser, other, db, fresh):
    """The address alone proves nothing: another browser gets a checkout of its own."""
    email = fresh()
    assert sign_up(browser, email).location != sign_up(other, email).location
    assert len({tenant for tenant, _, _ in db.drafts_of(email)}) == 2


def test_c16_an_expired_checkout_is_opened_anew_for_the_same_draft(browser, db, sim, fresh):
    email = fresh()
    first = session_in(sign_up(browser, email))
    tenant = db.tenant_of(email)
    sim.post(f"checkout/{first}/expire")
    wait_until(lambda: db.value("select status from billing.checkouts where session_id = %s", first) == "expired")
    second = session_in(sign_up(browser, email))
    assert second != first
    assert db.drafts_of(email) == [(tenant, 2, second)]


def test_c16_after_payment_the_form_leads_to_the_welcome_page(browser, db, sim, fresh):
    email = fresh()
    form = browser.get("/signup")
    session = session_in(browser.submit(form, {"email": email, "plan": "starter"}))
    sim.pay(session)
    wait_until(lambda: db.status_of(email) == "active")
    page = browser.submit(form, {"email": email, "plan": "starter"})
    assert (page.status, page.location) == (303, f"/welcome?session_id={session}")
    assert one_draft_and_session(db, sim, email)


def test_c22_when_stripe_cannot_be_reached_the_form_stays_and_can_be_sent_again(browser, db, sim, fresh):
    email = fresh()
    form = browser.get("/signup")
    sim.fault(method="POST", path="/v1/checkout/sessions", answer="status", status=500, times=3)
    try:
        page = browser.submit(form, {"email": email, "plan": "growth"})
    finally:
        sim.delete("faults")
    assert page.status in (502, 503)
    assert page.header("Retry-After") == "5"
    assert page.form().fields["email"] == email and page.form().fields["plan"] == "growth"
    assert "Nothing was charged" in page.html.one("p", role="alert").text
    assert browser.submit(page).status == 303
    assert one_draft_and_session(db, sim, email)


def test_d24_paying_does_not_sign_anybody_in(browser, db, sim, fresh):
    email = fresh()
    session = session_in(sign_up(browser, email))
    returned = sim.pay(session)["return_url"]
    wait_until(lambda: db.status_of(email) == "active")
    page = browser.get(returned, came_from=sim.url)
    assert page.status == 200
    assert browser.cookie("__Host-sid") is None
    assert browser.get("/workspace").status == 303


def form_body(browser, email, plan="starter"):
    """A valid form, as bytes."""
    csrf = browser.get("/signup").form().fields["csrf"]
    return b"csrf=%s&email=%s&plan=%s" % (csrf.encode(), email.replace("@", "%40").encode(), plan.encode())

MALFORMED = {
    "invalid UTF-8": lambda b: b.replace(b"&plan", b"%ff%fe&plan"),
    "overlong UTF-8": lambda b: b.replace(b"&plan", b"%c0%af&plan"),
    "raw invalid UTF-8": lambda b: b.replace(b"&plan", b"\xff&plan"),
    "NUL": lambda b: b.replace(b"&plan", b"%00&plan"),
    "raw NUL": lambda b: b.replace(b"&plan", b"\0&plan"),
    "byte order mark": lambda b: b.replace(b"email=", b"email=%ef%bb%bf"),
    "e-mail twice": lambda b: b + b"&email=second%40example.com",
    "plan twice": lambda b: b + b"&plan=growth",
    "token twice": lambda b: b + b"&csrf=x",
    "1,000 fields": lambda b: b + b"".join(b"&f%d=1" % i for i in range(1000)),
    "a bad escape": lambda b: b + b"&x=%zz",
    "a cut escape": lambda b: b + b"&x=%4",
    "an unknown price": lambda b: b + b"&price=price_growth",
}


@pytest.mark.parametrize("how", MALFORMED)
def test_f14_a_malformed_form_is_shown_again_and_nothing_happens(browser, db, sim, fresh, how):
    body = MALFORMED[how](form_body(browser, fresh()))
    before = untouched(db, sim)
    page = browser.post("/signup", body)
    assert page.status in (400, 422)
    assert page.html.one("p", role="alert").text
    assert page.form().element.one("button").text == BUTTON
    assert untouched(db, sim) == before


def test_f14_sixteen_kilobytes_of_value_come_back_escaped(browser, db, sim):
    before = untouched(db, sim)
    long = "<&\"'" * 1000
    page = browser.submit(browser.get("/signup"), {"email": long, "plan": "starter"})
    assert page.status == 422
    assert page.form().fields["email"] == long
    assert untouched(db, sim) == before

REFUSED_ADDRESSES = [
    "a@example.com\r\nBcc: b@example.com", "a@exa\x7fmple.com", "a@example.com\n.", "a\t@example.com",
    "a" * 65 + "@example.com", "a@" + "b" * 63 + "." + "c" * 63 + "." + "d" * 63 + "." + "e" * 60 + ".com",
    '"quoted local"@example.com', '"q"@example.com', "a@b\u0430nk.example", "\u0430@example.com", "a@example.com.",
    "a@example", "a@.example.com", ".a@example.com", "a.@example.com", "a..b@example.com", "a@-example.com",
    "a@[127.0.0.1]", "a@127.0.0.1", "<a@example.com>", "a@example.com,b@example.com", "a b@example.com",
]


@pytest.mark.parametrize("address", REFUSED_ADDRESSES)
def test_f15_no_such_address(browser, db, sim, address):
    before = untouched(db, sim)
    page = browser.submit(browser.get("/signup"), {"email": address, "plan": "starter"})
    assert page.status == 422
    assert page.form().element.one(id="email-error").text
    assert untouched(db, sim) == before


def test_f15_one_canonical_form_and_the_display_form_kept(browser, db, sim, fresh):
    email = fresh()
    shown = "New.Person+Tag-" + email
    page = browser.submit(browser.get("/signup"), {"email": f"  {shown} ", "plan": "starter"})
    assert page.status == 303
    assert db.row("select email, email_canonical from billing.checkouts where session_id = %s", session_in(page)) \
        == (shown, shown.lower())
    assert len(sim.sessions_of(shown)) == 1 and sim.sessions_of(shown)[0]["params"]["customer_email"] == shown


def test_f15_the_longest_address_passes(browser, fresh):
    local = fresh().split("@")[0][:40]
    domain = "b" * 63 + "." + "c" * 63 + "." + "d" * 63
    address = f"{local}@{domain}"
    address += "." + "e" * (254 - len(address) - 1)
    assert len(address) == 254
    assert sign_up(browser, address).status == 303


def test_f98_a_failure_that_stripe_repeats_for_a_day_begins_the_next_attempt(browser, sim, db, fresh):
    email = fresh()
    sim.fault(method="POST", path="/v1/checkout/sessions", status=500, effect=True)
    answer = sign_up(browser, email)
    assert answer.status == 303 and "/c/pay/cs_" in answer.location
    assert db.row("select attempt, session_id is not null from billing.checkouts where email_canonical = %s",
                  email) == (2, True)
    sim.delete("faults")


def test_f99_what_stripe_refuses_leaves_the_form_as_it_was_typed(browser, sim, db, fresh, calm):
    email = fresh()
    sim.fault(method="POST", path="/v1/checkout/sessions", times=9, status=400, body={"error": {
        "type": "idempotency_error",
        "message": "Keys for idempotent requests can only be used with the same parameters."}})
    page = sign_up(browser, email, "growth")
    assert page.status == 503 and page.header("Retry-After") == "5"
    assert "cannot be begun" in page.html.one("p", role="alert").text
    assert page.form().fields["email"] == email and page.form().fields["plan"] == "growth"
    sim.delete("faults")
    assert browser.submit(page).status == 303
    assert one_draft_and_session(db, sim, email)


def test_f98_two_spent_keys_in_a_row_leave_the_form(browser, sim, fresh, calm):
    sim.fault(method="POST", path="/v1/checkout/sessions", status=500, headers={"Idempotent-Replayed": "true"}, times=2)
    page = sign_up(browser, fresh())
    assert page.status == 503
    assert browser.submit(page).status == 303


def a_day_later(db, session):
    db.execute("update billing.checkouts set opened_at = opened_at - interval '25 hours' where session_id = %s",
               session)


def test_f99_a_checkout_older_than_a_day_is_begun_anew(browser, db, sim, fresh, calm):
    email = fresh()
    first = session_in(sign_up(browser, email))
    sim.post("mode", hold=True)
    sim.post(f"checkout/{first}/expire")
    a_day_later(db, first)
    second = session_in(sign_up(browser, email))
    assert second != first and db.drafts_of(email) == [(db.tenant_of(email), 2, second)]
    assert session_in(sign_up(browser, email)) == second


def test_f99_one_that_can_be_paid_still_is_closed_first(browser, db, sim, fresh):
    email = fresh()
    first = session_in(sign_up(browser, email))
    a_day_later(db, first)
    assert session_in(sign_up(browser, email)) != first
    assert sim.object("checkout.session", first)["status"] == "expired"


def test_f99_and_one_that_was_paid_is_not_sold_twice(browser, db, sim, fresh, calm):
    email = fresh()
    first = session_in(sign_up(browser, email))
    sim.post("mode", hold=True)
    sim.pay(first)
    a_day_later(db, first)
    before = sim.changes()
    answer = sign_up(browser, email)
    assert (answer.status, answer.location) == (303, f"/welcome?session_id={first}")
    assert sim.changes() == before
    wait_until(lambda: browser.get(answer.location).html.one("h1").text == "You are all set")
    assert db.drafts_of(email)[0][2] == first and len(sim.sessions_of(email)) == 1


@pytest.mark.only("nginx")
@pytest.mark.parametrize("status", [403, 401])
def test_f102_when_stripe_refuses_our_key_the_form_is_back_with_503(browser, stack, sim, fresh, status):
    email = fresh()
    sim.fault(method="POST", path="/v1/checkout/sessions", status=status, times=9)
    try:
        refused = sign_up(browser, email)
    finally:
        sim.delete("faults")
    assert refused.status == 503 and int(refused.header("Retry-After")) > 0
    assert refused.form().fields["email"] == email
    kill(stack, "signup")       # or it would leave Stripe alone for a while
    assert session_in(browser.submit(refused, {"email": email, "plan": "starter"}))
