"""What a tenant has used, on its pages: /settings/usage, and the card on the billing page."""
import json
import re
from pathlib import Path

import pytest
from journey import new_address, sign_in, stack_command, wait_until
from test_people import join, owner  # noqa: F401: the fixture
from test_usage import NOTHING

USAGE = "/settings/usage"


def configure(db, **quotas):
    """Each: (included, sold, most)."""
    db.execute("select ops.put_usage(%s)", json.dumps({
        "meters": ["tokens", "mails"], "rates": [],
        "caps": [{"kind": "tenant", "plan": "", "subject": "", "micros": 5000}],
        "costs": [{"provider": "acme", "model": "big", "class": "input", "micros": 3000000}],
        "quotas": [{"plan": plan, "meter": meter, "included": included, "sold": sold, "most": most}
                   for plan in ("starter", "growth") for meter, (included, sold, most) in quotas.items()]}))


def used(db, tenant, user, meter, units, model=None):
    db.execute("select usage.record(%s, %s, null, %s, %s, %s, gen_random_uuid()::text)", tenant, user, meter,
               json.dumps({"input" if model else "unit": units}),
               json.dumps([{"provider": "acme" if model else "", "model": model or meter}]))


@pytest.fixture
def busy_month(db):
    """Makes a page say much: of one meter most is used, one is sold beyond what is included, and money has a cap."""
    def use(tenant, user):
        configure(db, tokens=(10000, False, 10000), mails=(5, True, None))
        used(db, tenant, user, "tokens", 1200, "big")
        used(db, tenant, user, "tokens", 7900)
        used(db, tenant, None, "mails", 7)
    yield use
    db.execute("select ops.put_usage(%s)", json.dumps(NOTHING))


def table(page, section):
    """The rows of a section's last table."""
    rows = page.html.one(id=section).all("table")[-1].one("tbody").all("tr")
    return [[cell.text for cell in row.all("th") + row.all("td")] for row in rows]


@pytest.fixture
def account(owner, db):  # noqa: F811
    """(browser, tenant, the owner, a member) with two meters, one of which is sold."""
    browser, email, tenant = owner
    configure(db, tokens=(10000, False, 10000), mails=(5, True, None))
    me = db.value("select user_id from app.members where tenant_id = %s", tenant)
    yield browser, tenant, str(me), join(db, tenant, new_address("mia"))
    db.execute("select ops.put_usage(%s)", json.dumps(NOTHING))
    assert db.value("select usage.faults()") == []


def test_c97_the_page_of_usage_leads_to_other_languages(account):
    browser, *_ = account
    page = browser.get("/settings/usage")
    assert page.html.one("a", hreflang="de").get("href") == "/de/settings/usage"
    assert page.html.one("footer").one("span").text == "English"


def test_c97_what_is_used_is_shown_with_its_limits(account, db):
    browser, tenant, me, mia = account
    page = browser.get(USAGE)
    assert page.html.one(id="meter-tokens").one("progress").get("value") == "0" and not page.html.all("svg")
    for user, meter, units, model in ((me, "tokens", 1200, "big"), (mia, "tokens", 300, None),
                                      (None, "mails", 7, None)):
        used(db, tenant, user, meter, units, model)
    for prefix, figure, money, beyond in (("/en", "1,500", "$0.0036", "Beyond what is included: 2, billed"),
                                          ("/de", "1.500", "0,0036 $", "Über das Enthaltene hinaus: 2, berechnet")):
        page = browser.get(prefix + USAGE)
        tokens, mails = page.html.one(id="meter-tokens"), page.html.one(id="meter-mails")
        assert tokens.one("progress").get("value") == "15" and figure in tokens.text
        svg, = tokens.all("svg")
        assert svg.get("role") == "img" and len(svg.all("rect")) == 1
        assert all(page.html.one(id=name).text for name in svg.get("aria-labelledby").split())
        assert [row[1:] for row in table(page, "meter-tokens")] == [[figure, money]]
        assert mails.one("progress").get("value") == "100" and beyond in mails.text
        assert [row[1:] for row in table(page, "kinds")][0] == ["1", figure.replace("5", "2"), money]
        assert len(table(page, "shares")) == 3 and money in page.html.one(id="money").text
        card = browser.get(prefix + "/settings/billing").html.one(id="usage")
        assert [bar.get("value") for bar in card.all("progress")] == ["100", "15"]
        assert figure in card.text and [a.get("href") for a in card.all("a")] == [prefix + USAGE]
        assert not any(said in card.text for said in ("limit on spending", "Ausgabengrenze"))
        renews = browser.get(prefix + "/settings/billing").html.one(id="renews-on").text
        assert renews.endswith(("for $19.00.", "für 19,00 $.")), "a quota of which nothing is billed adds nothing"
    used(db, tenant, me, "tokens", 10**6, "big")
    for prefix, said in (("/en", "The limit on spending is reached."), ("/de", "Die Ausgabengrenze ist erreicht.")):
        for path, section in ((USAGE, "money"), ("/settings/billing", "usage")):
            assert said in browser.get(prefix + path).html.one(id=section).text
    configure(db, tokens=(1500, False, 1500))
    page = browser.get(USAGE)
    over = page.html.one(id="meter-tokens")
    assert "Used up." in over.text and over.one("a").get("href") == "/settings/billing"
    assert "Your plan does not include this." in page.html.one(id="meter-mails").text


def test_c97_the_same_is_there_as_json(account, db, new_browser, mail):
    browser, tenant, me, mia = account
    used(db, tenant, me, "tokens", 1200, "big")
    used(db, tenant, mia, "tokens", 300)

    def told(who=browser, more=""):
        return who.get("/api/user/usage" + more, Accept="application/json")
    whole = told().json
    assert [(m["meter"], m["used"], m["state"]) for m in whole["meters"]] == [("mails", 0, "room"),
                                                                          ("tokens", 1500, "room")]
    assert whole["currency"] == "usd" and whole["money"][0]["micros"] == 3600 and len(whole["shares"]) == 2
    assert sum(day["units"] for day in whole["meters"][1]["days"]) == 1500
    theirs = new_browser()
    sign_in(theirs, mail, db.value("select email from auth.users where id = %s", mia))
    own = told(theirs).json
    assert [(s["user"], s["units"]) for s in own["shares"]] == [(mia, 300)] and me not in json.dumps(own)
    assert own["money"] == [] and sum(day["units"] for day in own["meters"][1]["days"]) == 300
    page = theirs.get(USAGE)
    assert page.status == 200 and not page.html.all(id="shares") and not page.html.all(id="money")
    assert told(new_browser()).status == 401 and told(more=f"?tenant={me}").status == 404
    assert told(more="?from=2001-01-01T00:00:00Z").status == 404 and told(more="?from=%00").status in (400, 404)


def test_c86_an_earlier_period_is_a_link_away(account, db):
    browser, tenant, me, _ = account
    used(db, tenant, me, "tokens", 77)
    db.execute("update usage.accounts set from_at = from_at - interval '1 month', until_at = from_at "
               "where tenant_id = %s", tenant)
    db.execute("update usage.days set from_at = from_at - interval '1 month' where tenant_id = %s", tenant)
    page = browser.get("/de" + USAGE)
    link = page.html.one(id="period").one("a")
    assert page.html.one(id="meter-tokens").one("progress").get("value") == "0" and link.get("rel") == "prev"
    past = browser.get(link.get("href"))
    assert past.status == 200 and past.header("Content-Language") == "de"
    assert [row[1] for row in table(past, "meter-tokens")] == ["77"] and not past.html.all("progress")
    assert past.html.one(id="period").one("a").get("rel") == "next"


def test_c97_the_tab_is_there_where_something_is_counted(owner, stack, db):  # noqa: F811
    browser, _, _ = owner
    program = "apache" if stack["server"] == "apache" else "account"
    config = Path(stack["config"])
    before = config.read_text()

    def profile(text):
        config.write_text(text)
        stack_command("restart", "--dir", stack["dir"], program)
        return wait_until(lambda: (p := browser.get("/settings/profile")).status == 200 and p).text
    try:
        nothing = re.sub(r"(?ms)^(meters|quotas|costs|models) = \(.*?^\);", r"\1 = ();", before)
        assert f'href="{USAGE}"' not in profile(re.sub(r'(?m)^\t(meter|model) = ".*";', r'\t\1 = "";', nothing))
        assert f'href="{USAGE}"' in profile(before.replace('"Tokens"', '"Tokens & more"'))
        configure(db, tokens=(1, False, 1))
        assert browser.get(USAGE).html.one(id="meter-tokens").one("h2").text == "Tokens & more"
    finally:
        config.write_text(before)
        stack_command("restart", "--dir", stack["dir"], program)
