"""What a demo shows from its first minute: a tenant that bought a plan some days ago, and what its program has used."""
import json
import re
import sys
import time
import urllib.request
from pathlib import Path

from harness.supervisor import Failed

sys.path.append(str(Path(__file__).resolve().parents[1] / "e2e"))
from client import Browser  # noqa: E402

OWNER = "demo@example.com"
# Units of each day: those that the program names nobody for, and the owner's.
DAYS = ((120000, 90000), (310000, 150000), (270000, 200000), (420000, 310000), (380000, 260000))
AGO = (len(DAYS) - 1) * 86400      # seconds
COSTS = ({"provider": "acme", "model": "big", "class": "output", "micros": 3000000},)
SETTINGS = {
    "quotas": 'quotas = ({ plan = "starter"; meter = "tokens"; included = 100000; }, '
              '{ plan = "growth"; meter = "tokens"; included = 2000000; sold = true; most = 20000000; '
              'lookup_key = "growth_tokens"; unit_amount = "0.0002"; });',
    "growth": '\t{ id = "growth"; lookup_key = "growth_monthly"; amount = 4900; currency = "usd"; }',
}
RATE = 12       # tokens a second that models give
SAY = ("You said: {said}\n\nNo model has read that. What answers here stands for one: it gives these words one after "
       "the other, so that you can watch them come, stop them, or leave and find what had come. It counts them, and "
       "they are in what your account has used.")


def call(url, body=None, **headers):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **headers})
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def wait_for(check):
    end = time.monotonic() + 60
    while not (found := check()):
        if time.monotonic() > end:
            raise Failed("the demo's tenant is not there after a minute")
        time.sleep(0.1)
    return found


def buy(system):
    """The owner's browser, signed in by the mail that comes once the plan is paid."""
    browser = Browser(system.url)
    paid = browser.submit(browser.get("/signup"), {"email": OWNER, "plan": "growth"})
    call("%s/_sim/checkout/%s/pay" % (system.stripe_url, re.search("cs_[A-Za-z0-9_]+", paid.location)[0]), {})
    mails = wait_for(lambda: call(system.mail_url + "/mails?to=" + OWNER))
    browser.submit(browser.get(re.search(r"/signin/link\?t=[\w-]+", mails[0]["text"])[0]))
    return browser


def make_key(browser):
    page = browser.submit(browser.get("/settings/keys"), {"name": "Demo", "scope": "write"}, action="/settings/keys")
    return re.search(r">(tg_[\w-]+)<", page.text)[1]


def use(system, key, units, day, **who):
    body = {"meter": "tokens", "counts": {"output": units}, "provider": "acme", "model": "big", **who}
    call(system.url + "/api/usage/record", body, **{
        "Authorization": "Bearer " + key, "Idempotency-Key": "demo %d %s" % (day, " ".join(who))})


def furnish(system):
    """Begins so many days ago as there are DAYS. The key of the tenant's program."""
    browser = buy(system)
    key = make_key(browser)
    owner = browser.get("/api/user", Accept="application/json").json["id"]
    for day, (alone, named) in enumerate(DAYS):
        if day > 0:
            call(system.stripe_url + "/_sim/clock", {"days": 1})
        use(system, key, alone, day)
        use(system, key, named, day, user=owner)
    return key
