"""Mails: what is in them, and that each arrives once whatever the mail server does."""
import json
import re
from email import message_from_string, policy
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from client import Tree
from faults import another, header
from journey import ask_for_link, become_customer, code_in, new_address, press_link, stack_command, token_in, wait_until

pytestmark = [pytest.mark.usefixtures("calm"), pytest.mark.only("nginx")]

WORDS = {("signin", "en"): "Sign in to Tollgate", ("signin", "de"): "Anmelden bei Tollgate",
         ("welcome", "en"): "Your Tollgate account is ready", ("welcome", "de"): "Ihr Konto bei Tollgate ist bereit"}


@pytest.fixture
def member(browser, sim, db, fresh):
    email = fresh()
    become_customer(browser, sim, db, email)
    # A mail of an earlier test would take the answer that is meant for one of this.
    wait_until(lambda: db.value("select count(*) from mail.outbox where state = 'pending' and next_at <= now()") == 0)
    return email


@pytest.fixture
def ask(browser, db, member):
    """A function that asks for a link: the outbox's id of its mail."""
    def run():
        answer = ask_for_link(browser, member)
        assert answer.status == 303
        return db.value("select id from mail.outbox where recipient = %s and template = 'signin' "
                        "order by created_at desc limit 1", member)
    return run


@pytest.fixture
def row(db):
    """(state, attempts, last_error, whether it holds secrets) of a mail."""
    return lambda ident: db.row("select state, attempts, last_error, data ?| '{token,code}' from mail.outbox "
                                "where id = %s", ident)


def now(db, ident):
    """The back-off is over."""
    db.execute("update mail.outbox set next_at = now() where id = %s", ident)


def signins(mail, email):
    return [m for m in mail.to(email) if m["subject"] == WORDS["signin", "en"]]


def two_parts(mail):
    """(text, tree of the HTML) of multipart/alternative, the preferred part last."""
    message = message_from_string(mail["raw"], policy=policy.default)
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), html.get_content_type()) == ("text/plain", "text/html")
    return text.get_content(), Tree(html.get_content()).root


@pytest.mark.parametrize("template, language", WORDS)
def test_c96_text_and_html_say_the_same_and_their_link_works(new_browser, sim, db, mail, stack, fresh, template,
                                                             language):
    email, browser = fresh(), new_browser(language=language)
    become_customer(browser, sim, db, email)
    if template == "signin":
        browser.cookies.clear()
        ask_for_link(browser, email)
    found = wait_until(lambda: [m for m in mail.to(email) if m["subject"] == WORDS[template, language]])[0]
    text, html = two_parts(found)
    link = f"{stack['url']}/{language}/signin/link?t={token_in(found)}"
    assert link in text.split()
    assert html.one("html").get("lang") == language
    assert [a.get("href") for a in html.all("a") if a.get("class") == "button"] == [link]
    assert html.one("p", **{"class": "code"}).text == code_in(found) in text
    for a in html.all("a"):
        assert browser.get(a.get("href")).status in (200, 303), a.get("href")
    answer = press_link(browser, token_in(found), urlsplit(link).path)
    assert answer.status == 303 and browser.get("/workspace").status == 200


def test_c96_its_headers_are_those_of_a_mail_that_arrives(mail, db, ask, member):
    ident = ask()
    found = wait_until(lambda: signins(mail, member))[0]
    assert header(found, "Message-ID").startswith(f"<{ident}@")
    assert (header(found, "From"), header(found, "To")) == ("Tollgate <no-reply@example.com>", member)
    assert header(found, "Date") and header(found, "Auto-Submitted") == "auto-generated"
    assert found["raw"].isascii() and max(map(len, found["raw"].splitlines())) <= 998


def test_c96_once_sent_the_outbox_holds_no_secret(mail, ask, row):
    ident = ask()
    wait_until(lambda: row(ident)[0] == "sent")
    assert row(ident) == ("sent", 0, None, False)


def test_f105_a_mail_server_that_is_down_costs_time_only(stack, mail, db, ask, row, member):
    stack_command("stop", "--dir", stack["dir"], "mail")
    try:
        ident = ask()
        wait_until(lambda: row(ident)[1] == 1)
    finally:
        stack_command("start", "--dir", stack["dir"], "mail")
    state, _, error, secret = row(ident)
    assert (state, secret) == ("pending", False) and error
    assert 20 < db.value("select extract(epoch from next_at - now()) from mail.outbox where id = %s", ident) <= 30
    assert signins(mail, member) == []
    now(db, ident)
    found, = wait_until(lambda: signins(mail, member))
    assert header(found, "Message-ID").startswith(f"<{ident}@")
    wait_until(lambda: row(ident)[0] == "sent")


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("reply", ["451 4.3.0 try again later", "421 4.3.2 closing"])
def test_f105_refused_for_now_it_is_sent_once_later(browser, mail, db, ask, row, member, at, reply):
    mail.answer(at=at, reply=reply, times=1)
    ident = ask()
    wait_until(lambda: row(ident)[1] == 1)
    assert row(ident)[0] == "pending" and signins(mail, member) == []
    now(db, ident)
    wait_until(lambda: row(ident)[0] == "sent")
    found, = signins(mail, member)
    assert header(found, "Message-ID").startswith(f"<{ident}@")
    assert press_link(browser, token_in(found)).status == 303


@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_f105_refused_for_good_it_is_given_up_and_the_others_go(mail, db, ask, row, member, at):
    mail.answer(at=at, reply="550 5.1.1 no such mailbox", times=1)
    ident = ask()
    wait_until(lambda: row(ident)[0] == "dead")
    state, attempts, error, secret = row(ident)
    assert (attempts, secret) == (1, False) and "550" in error
    now(db, ident)
    next_one = ask()
    wait_until(lambda: row(next_one)[0] == "sent")
    assert len(signins(mail, member)) == 1 and row(ident)[0] == "dead"


def test_f105_s14_taken_but_the_answer_lost_it_goes_again_under_the_same_name(browser, mail, db, ask, row, member):
    mail.answer(at="data", reply="drop", times=1)
    ident = ask()
    wait_until(lambda: row(ident)[1] == 1)
    now(db, ident)
    wait_until(lambda: row(ident)[0] == "sent")
    first, second = signins(mail, member)
    assert header(first, "Message-ID") == header(second, "Message-ID")
    assert token_in(first) != token_in(second)
    assert press_link(browser, token_in(first)).status == 303
    assert browser.get(f"/signin/link?t={token_in(second)}").status == 410


def test_f105_after_ten_refusals_it_is_given_up(mail, db, ask, row):
    mail.answer(at="rcpt", reply="450 4.2.1 mailbox busy")
    ident = ask()
    wait_until(lambda: row(ident)[1] == 1)
    db.execute("update mail.outbox set attempts = 9, next_at = now() where id = %s", ident)
    wait_until(lambda: row(ident)[0] == "dead")
    assert not row(ident)[3]


def test_f78_two_processes_side_by_side_send_each_mail_once(stack, mail, db, tmp_path):
    addresses = [new_address("side") for _ in range(40)]
    with another(stack, "mailer", tmp_path / "log"):
        db.execute("""insert into mail.outbox (key, recipient, template, language)
            select 'side:' || a, a, 'failed', 'en' from unnest(%s::text[]) a""", addresses)
        wait_until(lambda: db.value("select count(*) from mail.outbox where recipient = any(%s) and state = 'sent'",
                                    addresses) == 40)
    assert [len(mail.to(a)) for a in addresses] == [1] * 40
    assert 1 <= (tmp_path / "log").read_text().count('"mail_sent"') <= 39


FACTS = """jsonb_build_object('plan', 'plan_starter', 'amount', api.amount_document(190005, 'eur'),
    'date', api.date_document('2026-12-03T12:00:00Z'))"""


@pytest.mark.parametrize("language, day, amount", [("en", "3 December 2026", "€1,900.05"),
                                                   ("de", "3. Dezember 2026", "1.900,05 €")])
@pytest.mark.parametrize("kind", ["payment_failed", "action_required", "upcoming", "trial_will_end", "recovered",
                                  "canceled", "refunded", "disputed", "dispute_won", "dispute_lost", "dispute_over",
                                  "plan_changed", "cancel_scheduled", "cancel_undone"])
def test_c41_a_notice_says_which_plan_how_much_and_when(member, db, mail, kind, language, day, amount):
    db.execute("update app.profiles p set language = %s from auth.users u where u.id = p.user_id and u.email = %s",
               language, member)
    db.execute(f"select billing.tell(%s, %s, 'a fact', {FACTS})", db.tenant_of(member), kind)
    text, html = two_parts(wait_until(lambda: [m for m in mail.to(member)[1:] if day in m["text"]])[0])
    for part in (text, html.text):
        assert all(word in " ".join(part.split()) for word in ("Starter", amount, ": " + day))
    assert "/settings/billing" in text


HELP, IMPRINT = "help@example.com", "Example & Sons, 1 Example Street"


@pytest.fixture
def signed(stack):
    """Mails that have a foot."""
    config = Path(stack["config"])
    text = config.read_text()
    text_with = text.replace('help = "";', f'help = "{HELP}";').replace('imprint = "";', f'imprint = "{IMPRINT}";')
    assert HELP in text_with and IMPRINT in text_with
    config.write_text(text_with)
    stack_command("restart", "--dir", stack["dir"], "mailer")
    yield
    config.write_text(text)
    stack_command("restart", "--dir", stack["dir"], "mailer")


PAGES = Path(__file__).parents[2] / "workers/pages"
FAMILIES = ("factor", "notice", "safety", "suspension")
TEMPLATES = {path.name.split(".")[0] for path in (PAGES / "mail").glob("*.subject.mustache")}
MAILS = sorted(TEMPLATES - {*FAMILIES}) + sorted(set(re.findall(
    r'"((?:%s)_\w+)_subject"' % "|".join(FAMILIES), (PAGES / "languages/en/mail.json").read_text())))
MAYBE_NOT_ASKED = {"signin", "checkout", "offer", "failed", "register", "registered", "reset", "invitation",
                   "new_address", "connect"}
IGNORE = {"en": ("you can ignore",), "de": ("ignorieren", "tun Sie nichts")}
PROOF = {"code": "ABCD-EFGH", "token": "T" * 43}
ADDRESSES = {"was": "was@example.com", "new": "new@example.com"}
DATA = {**{name: PROOF for name in ("signin", "welcome", "offer", "checkout", "register", "reset", "confirm")},
        "invitation": {**PROOF, "tenant": "Ann & Co", "inviter": "Ann", "role": "mail_role_admin"},
        "connect": {**PROOF, "provider": "Example", "known_as": "ann"},
        "new_address": PROOF, "address": ADDRESSES, "address_changed": {**ADDRESSES, **PROOF},
        **{name: {"browser": "Firefox, Linux", "network": "192.0.2.0/24"} for name in MAILS if "safety_" in name},
        "factor_demanded": {"demanded": "Ann & Co"},
        "alerts": {"first": "offer", "open": 1, "alerts": [{"id": 7, "kind": "offer", "subject": "s", "tenant": "t",
                                                            "detail": [{"name": "n", "value": "v"}]}]}}


def queue(db, name, language, address):
    """Its Message-ID begins with the answer."""
    data = json.dumps(DATA.get(name, {"tenant": "t"}))
    return db.value(f"insert into mail.outbox (key, recipient, template, language, data) "
                    f"values (gen_random_uuid()::text, %s, %s, %s, {FACTS} || %s::jsonb) returning id", address, name,
                    language, data)


@pytest.mark.parametrize("language", ["en", "de"])
def test_c96_every_mail_is_whole_says_where_help_is_and_who_sends_it(db, mail, signed, member, language):
    """And only those that a stranger may have caused say that they may be ignored."""
    assert len(MAILS) > 40 and MAYBE_NOT_ASKED | set(DATA) <= set(MAILS)
    db.execute("update app.profiles p set language = %s from auth.users u where u.id = p.user_id and u.email = %s",
               language, member)
    queued = {name: queue(db, name, language, member) for name in MAILS}
    came = {}

    def all_came():
        came.update({header(m, "Message-ID").split("@")[0]: m for m in mail.to(member)})
        return all(f"<{ident}" in came for ident in queued.values())
    wait_until(all_came)
    for name, ident in queued.items():
        found = came[f"<{ident}"]
        text, html = two_parts(found)
        assert len(found["subject"]) > 5 and "{{" not in found["raw"], name
        assert html.one("html").get("lang") == language, name
        assert not re.search(r"[ \t]\r?$", text, re.M), f"{name}: a name without a value"
        assert all(e.text for e in html.walk() if e.tag in ("p", "strong", "a", "h1")), name
        links = [a.get("href") for a in html.all("a")]
        assert all(re.match(r"https?://|mailto:", link) for link in links) and links[-1] == "mailto:" + HELP, name
        for part in (text, html.text):
            said = " ".join(part.split())
            assert HELP in said and IMPRINT in said, name
            assert any(words in said for words in IGNORE[language]) == (name in MAYBE_NOT_ASKED), name
    db.execute("delete from mail.outbox where id = any(%s)", list(queued.values()))     # no mail of ours keeps a code


def test_f53_a_welcome_mail_says_that_its_link_lives_a_day(db, mail, member):
    text, _ = two_parts([m for m in mail.to(member) if m["subject"] == WORDS["welcome", "en"]][0])
    assert "good for a day" in text and "ten minutes" not in text
    assert "\n\nOpen this link and press the button there:\n\nhttp" in text.replace("\r", "")
    assert db.value("select max(l.expires_at - l.created_at) from auth.links l join auth.requests r "
                    "on r.id = l.request_id where r.purpose = 'welcome' and r.email = %s", member).days == 1


def test_c41_the_links_of_a_mail_in_a_language_that_is_no_more_work(member, db, mail, stack):
    db.execute("update app.profiles p set language = 'fr' from auth.users u where u.id = p.user_id and u.email = %s",
               member)
    db.execute(f"select billing.tell(%s, 'recovered', 'of France', {FACTS})", db.tenant_of(member))
    text, _ = two_parts(wait_until(lambda: [m for m in mail.to(member) if "arrived" in m["subject"]])[-1])
    assert f"{stack['url']}/en/settings/billing" in text


def test_c41_a_last_attempt_that_failed_promises_no_other(member, db, mail):
    db.execute(f"select billing.tell(%s, 'payment_failed', 'a fact', {FACTS} - 'date')", db.tenant_of(member))
    text, _ = two_parts(wait_until(lambda: [m for m in mail.to(member) if m["subject"] == "Your payment failed"])[-1])
    assert "attempt" not in text and "again" not in text


@pytest.mark.parametrize("language, plan", [("en", "plan"), ("de", "Tarif")])
def test_c41_the_mails_of_an_invoice_of_no_subscription_do_not_speak_of_the_plan(member, db, mail, language, plan):
    kinds = ["invoice_sent", "invoice_overdue", "payment_failed", "action_required", "recovered", "paid"]
    for kind in kinds:
        db.execute(f"insert into mail.outbox (key, recipient, template, language, data) "
                   f"values (gen_random_uuid()::text, %s, %s, %s, {FACTS} - 'plan' || %s::jsonb)", member,
                   "notice_" + kind, language, json.dumps({"tenant": "t", "apart": True}))

    def all_came():
        came = [m for m in mail.to(member) if re.search("900[.,]05", m["text"])]
        return len(came) == len(kinds) and came
    for found in wait_until(all_came):
        text, html = two_parts(found)
        assert plan not in text and plan not in html.text, found["subject"]
