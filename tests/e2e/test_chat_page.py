"""The page of conversations: by its form alone, and in Chromium with its script."""
import re

import pytest
from chatting import Chat
from journey import wait_until
from selenium.webdriver.common.keys import Keys
from test_axe import axe, look  # noqa: F401 (fixtures)
from test_browser import faults_of, no_wider_than, person, start_chromium_anywhere  # noqa: F401 (fixtures)
from test_chat import chat, models, quota, rate, settings  # noqa: F401 (fixtures)
from test_people import owner  # noqa: F401 (fixture)


@pytest.fixture(scope="module")
def driver():
    started = start_chromium_anywhere(scripts=True)
    yield started
    started.quit()


@pytest.fixture
def page(person, chat):  # noqa: F811
    """(person, conversation to compare with): somebody with a plan, on a page with its script."""
    person.open("/signup")
    person.driver.add_cookie({"name": "__Host-sid", "value": chat.browser.cookie("__Host-sid"), "path": "/",
                              "secure": True, "httpOnly": True, "sameSite": "Lax"})
    person.open("/chat")
    return person


@pytest.fixture
def second(db, owner):  # noqa: F811
    """Another tenant of the owner's, which has a plan too."""
    tenant = str(db.value("insert into app.tenants (name, status) values ('Second', 'active') returning id"))
    db.execute("insert into app.members (tenant_id, user_id, role) select %s, user_id, 'member' from app.members "
               "where tenant_id = %s", tenant, owner[2])
    db.execute("select ops.put_override(%s, true, 'starter', null, 'a test', 'tests')", tenant)
    return tenant


def send(browser, at, text, **fields):
    """What the form leads to."""
    return browser.submit(browser.get(at), {"text": text, **fields}, action="/chat")


def said(page):
    """[(whose, text)]"""
    return [(e.get("class"), e.one("p", **{"class": "said"}).text) for e in page.html.one("ol").all("li")]


# the form

def test_c03_somebody_chats_by_a_form(chat, models, db):  # noqa: F811
    browser = chat.browser
    answer = send(browser, "/chat", "Hello\r\nthere")
    assert answer.status == 303 and re.fullmatch(r"/chat/[\w-]+#last", answer.location)
    here = answer.location.partition("#")[0]
    page = browser.follow(answer)
    assert said(page) == [("mine", "Hello there"), ("theirs", "You said: Hello there")]
    assert models.books()[0]["request"]["input"][-1]["content"] == "Hello\nthere"
    assert browser.follow(send(browser, here, "More")).url.endswith("#last")
    page = browser.get(here)
    assert [text for _, text in said(page)][2:] == ["More", "You said: More"]
    assert page.html.one("nav", id="chats").one("a", **{"aria-current": "page"}).get("href") == here
    assert page.html.one("h1").text == "Hello there", "how it begins, until it has a title"
    assert page.html.one("title").text.startswith("Hello there · Chat · "), "tabs of conversations differ"
    assert page.html.one("strong", id="left").text != "100,000"


def test_c88_a_conversation_is_named_and_deleted_by_a_form(chat, models):  # noqa: F811
    chat.send("How do bees fly?")
    models.plan(text="Flight of bees")
    here = f"/chat/{chat.id}"
    form = [f for f in chat.browser.get(here).forms if f.action == here]
    assert len(form) == 2
    named = chat.browser.post(here, {**form[0].fields, "act": "title"})
    assert named.status == 303 and chat.browser.get(here).html.one("h1").text == "Flight of bees"
    gone = chat.browser.post(here, {**form[1].fields, "act": "delete"})
    assert (gone.status, gone.location) == (303, "/chat") and chat.browser.get(here).status == 404
    assert chat.browser.post("/chat/nothing", {**form[1].fields, "act": "delete"}).status == 404
    assert chat.browser.post(here, {**form[1].fields, "act": "sell"}).status == 422


def test_c75_a_refused_form_says_why_keeps_the_text_and_leads_on(chat, models, settings, db):  # noqa: F811
    browser = chat.browser
    settings(quotas=quota(20))
    page = send(browser, "/chat", "My long question")
    assert page.status == 402 and page.html.one("textarea").text == "My long question"
    alert = [e for e in page.html.all("p", role="alert") if e.get("hidden") is None][0]
    assert alert.one("a").get("href") == "/settings/billing"
    settings(rates=rate(1))
    assert send(browser, "/chat", "One").status == 303
    page = send(browser, "/chat", "Two")
    assert page.status == 429 and int(page.header("Retry-After")) > 0 and page.html.one("textarea").text == "Two"
    settings()
    for text, status in (("", 422), (" \r\n", 422), ("x" * 65537, 413)):
        assert send(browser, "/chat", text).status == status
    page = send(browser, "/chat", "Hi", model="large")
    assert page.status == 403 and page.html.one("option", value="large").get("disabled") is not None
    models.plan(0, status=500)
    page = send(browser, "/chat", "Are you there?")
    assert page.status == 503 and page.html.one("textarea").text == "Are you there?"
    assert db.value("select count(*) from usage.holds where state = 'held'") == 0


def test_c77_the_page_stays_with_the_tenant_that_it_shows(chat, models, settings, db, second):  # noqa: F811
    browser, at = chat.browser, f"?tenant={second}"
    db.execute("delete from usage.rates")
    for n in range(21):
        answer = send(browser, "/chat" + at, f"Message {n}")
    older = browser.get("/chat" + at).html.one("a", rel="next").get("href")
    assert "Message 0" in browser.get(older).html.one("nav", id="chats").text
    here = answer.location.partition("#")[0]
    assert browser.get(here).html.one("nav", id="chats").all("a")[0].get("href") == "/chat" + at
    settings(quotas=quota(20))
    refused = send(browser, "/chat" + at, "My long question")
    assert refused.status == 402 and refused.form("/chat").fields["tenant"] == second
    plans = [a.get("href") for part in ("p", "section") for e in refused.html.all(part) for a in e.all("a")
             if a.get("href").startswith("/settings/billing")]
    assert plans and set(plans) == {"/settings/billing" + at}


def test_c75_without_a_plan_for_it_the_page_leads_to_the_plans(chat, settings):  # noqa: F811
    settings(quotas=[])
    page = chat.browser.get("/chat")
    assert page.status == 200 and page.html.all("form", id="ask") == []
    assert page.html.one("div", id="empty").one("a").get("href") == "/settings/billing"


def test_c84_the_page_says_what_is_included_and_that_more_is_billed(chat, settings):
    def said():
        return chat.browser.get("/chat").html.one("section", **{"aria-labelledby": "remaining"}).text

    assert "billed" not in said()
    settings(quotas=[{**q, "included": 1000, "most": 5000, "sold": True} for q in quota(1000)])
    assert "5,000 may still be used" in said() and "Included: 1,000. What goes beyond is billed" in said()


def test_f37_a_form_of_another_site_is_refused(chat, models):  # noqa: F811
    form = chat.browser.get("/chat").form("/chat")
    assert chat.browser.post("/chat", {**form.fields, "text": "Hi", "csrf": "x"}).status == 403
    assert chat.browser.post("/chat", {**form.fields, "text": "Hi"}, Origin="https://elsewhere.example").status == 403
    assert chat.browser.post("/chat", {**form.fields, "text": "Hi", "colour": "red"}).status == 422
    assert models.books() == []


def test_f141_a_form_that_is_sent_twice_is_answered_once(chat, models):  # noqa: F811
    form = chat.browser.get("/chat").form("/chat")
    answers = [chat.browser.post("/chat", {**form.fields, "text": "Hi"}) for _ in range(2)]
    assert [a.status for a in answers] == [303, 303] and answers[0].location == answers[1].location
    assert len(models.books()) == 1


# the script

def shown(person):  # noqa: F811
    return person.outer("[...document.querySelectorAll('#talk .said')].map(e => e.textContent)")


def notes(person):  # noqa: F811
    """What is said of answers, and beside the form."""
    return person.outer("[...document.querySelectorAll('#talk .quiet, #refused p')]"
                        ".filter(e => e.offsetParent).map(e => e.textContent)")


def write(person, text):  # noqa: F811
    person.find("#text").send_keys(text, Keys.ENTER)


def test_c78_the_page_shows_an_answer_while_it_is_written(page, models):  # noqa: F811
    models.plan(words=60, rate=15)
    write(page, "Hello")
    wait_until(lambda: len(shown(page)) == 2 and "word3" in shown(page)[1])
    assert page.find("#stop").is_displayed() and not page.find("#send").is_displayed()
    assert page.find("#log").get_attribute("aria-busy") == "true"
    page.shots = "desk"
    page.shoot("30-chat-writing")
    wait_until(lambda: page.find("#send").is_displayed())
    assert shown(page)[1].count("word") == 60 and notes(page) == []
    assert re.fullmatch(r"/chat/[\w-]+", page.path()), "a reload shows it"
    assert page.driver.switch_to.active_element.get_attribute("id") == "text"
    assert page.find("#chats a[aria-current=page]").get_attribute("href").endswith(page.path())
    assert page.find("#more button[value=title]"), "a new conversation is listed, and can be named"
    assert (page.text("#title"), page.text(".heading .quiet")) == ("Hello", "Small")
    assert page.driver.title.startswith("Hello · ")
    left = page.text("#left")
    page.driver.refresh()
    assert [t.strip() for t in shown(page)][0] == "Hello" and page.text("#left") == left != "100,000"
    page.shoot("31-chat-read")


@pytest.mark.parametrize("seen", ["'<p>Sign in</p>'", "null, { status: 503 }"])
def test_c78_the_page_keeps_its_list_where_it_cannot_have_a_new_one(page, models, seen):  # noqa: F811
    page.driver.execute_script("const ask = window.fetch; window.fetch = (url, options) => "
                               f"options ? ask(url, options) : Promise.resolve(new Response({seen}));")
    write(page, "Hello")
    wait_until(lambda: page.find("#send").is_displayed() and shown(page)[1:] == ["You said: Hello"])
    assert page.find("#chats a.button") and page.all("#more") == [] and "null" not in page.text("#chat")


def test_c77_the_tenant_that_the_page_shows_pays_for_the_answer(page, db, owner, second):  # noqa: F811
    page.open(f"/chat?tenant={second}")
    write(page, "Hello")
    wait_until(lambda: page.find("#send").is_displayed() and len(shown(page)) == 2)
    assert db.rows("select tenant_id::text from usage.holds where tenant_id in (%s, %s)", second,
                   owner[2]) == [(second,)]


def test_c78_the_page_stops_an_answer_and_keeps_what_came(page, models, db):  # noqa: F811
    models.plan(words=500, rate=10)
    write(page, "Hello")
    wait_until(lambda: len(shown(page)) == 2 and "word2" in shown(page)[1])
    page.find("#text").send_keys(Keys.ESCAPE)
    wait_until(lambda: notes(page) == ["You stopped this answer."])
    wait_until(lambda: models.books(brief=1)[0]["end"] == "cancelled")
    write(page, "Go on")
    wait_until(lambda: len(shown(page)) == 4 and page.find("#send").is_displayed())
    page.driver.refresh()
    assert "cut short" in notes(page)[0] and "word2" in shown(page)[1] and shown(page)[2] == "Go on"


@pytest.mark.parametrize("plan, note", [
    ({"words": 20, "cut": {"deltas": 5, "how": "close"}}, "This answer was cut short"),
    ({"words": 2000}, "This answer was longer than it may be")], ids=str)
def test_f131_f110_the_page_says_of_an_answer_that_its_end_is_missing(page, models, plan, note):  # noqa: F811
    models.plan(1, **plan)
    write(page, "Hello")
    wait_until(lambda: page.find("#send").is_displayed() and notes(page))
    assert notes(page)[0].startswith(note) and "word1" in shown(page)[1]


def test_c75_the_page_says_why_nothing_came_and_keeps_the_text(page, models, settings):  # noqa: F811
    settings(quotas=quota(20))
    write(page, "Hello")
    wait_until(lambda: page.find("#send").is_displayed() and notes(page))
    assert notes(page)[0].startswith("What your plan includes is used up") and shown(page) == []
    assert page.find("#text").get_attribute("value") == "Hello"
    assert any(a.is_displayed() for a in page.all("#refused a[href='/settings/billing']"))
    page.shots = "desk"
    page.shoot("32-chat-quota")
    settings()
    models.plan(0, status=500)
    page.find("#text").send_keys(Keys.ENTER)
    wait_until(lambda: notes(page) and notes(page)[0].startswith("The model cannot be reached"))
    models.clear()


@pytest.mark.only("nginx")
@pytest.mark.parametrize("prefix, width", [("", 1280), ("/de", 320)])
def test_everybody_can_read_the_page(page, chat, models, look, prefix, width):  # noqa: F811
    models.plan(1, words=20, cut={"deltas": 5, "how": "close"})
    chat.send("What is " + "averylongword" * 20)
    chat.send("Hello")
    page.size(width, 900)
    for path in (f"{prefix}/chat", f"{prefix}/chat/{chat.id}"):
        page.open(path)
        assert no_wider_than(page, width) and faults_of(page) == [] and look() == []
        page.size(width, 900)
