"""Alerts are mailed to ops.alert_to: once for each fact, and again while they stay open."""
import json
import os
import subprocess
import time

import pytest
import requests
from conftest import BUILD, ROOT


@pytest.fixture
def told(site):
    """A mailer that mails alerts, and a function: the mails that have come."""
    catcher = subprocess.Popen([ROOT / "tests/mail/catcher"], stdout=subprocess.PIPE, text=True)
    at = json.loads(catcher.stdout.readline())
    text = site.conf.read_text().replace("smtp://127.0.0.1:9", at["smtp"])
    site.conf.write_text(text + 'ops = { alert_to = "ops@example.com"; alert_hours = 2; };\n')
    mailer = subprocess.Popen([BUILD / "mailer", "--config", site.conf], stderr=subprocess.DEVNULL, env=os.environ)

    def mails(n):
        deadline = time.monotonic() + 20
        while len(found := requests.get(at["url"] + "/mails?to=ops@example.com", timeout=5).json()) < n:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return found
    yield mails
    for process in (mailer, catcher):
        process.kill()
        process.wait(10)
    catcher.stdout.close()


def raised(site, kind, subject, detail='{"error": "RCPT: 550 <no>"}'):
    site.ask("select ops.raise_alert(null, %s, %s, %s)", kind, subject, detail)


def pass_a_minute(site):
    site.ask("update mail.outbox set key = key || ' before' where key like 'alerts:%'")


def test_c80_an_alert_is_mailed_once_and_again_on_schedule(site, told):
    raised(site, "unknown_price", "price_1")
    mail, = told(1)
    assert mail["subject"] == "Tollgate: alert unknown_price"
    for part in (mail["text"], mail["html"].replace("&lt;", "<").replace("&gt;", ">").replace("\n", " ")):
        assert "price_1" in part and "error: RCPT: 550 <no>" in part
    raised(site, "unknown_price", "price_1", '{"error": "another word about the same"}')
    pass_a_minute(site)
    raised(site, "offer", "tenant 1")
    assert "tenant 1" in told(2)[1]["text"] and "price_1" not in told(2)[1]["text"]
    pass_a_minute(site)
    site.ask("update ops.alerts set mailed_at = now() - interval '119 min'")
    time.sleep(0.5)
    assert len(told(2)) == 2
    site.ask("select ops.end_alert('offer', 'tenant 1')")
    site.ask("update ops.alerts set mailed_at = now() - interval '121 min'")
    assert "price_1" in told(3)[2]["text"] and "tenant 1" not in told(3)[2]["text"]
    pass_a_minute(site)
    site.ask("select ops.end_alert('unknown_price', 'price_1')")
    raised(site, "unknown_price", "price_1")
    assert len(told(4)) == 4, "it ended, and is a fact again"


def test_c80_what_happens_within_a_minute_is_one_mail(site, told):
    left = 60 - int(site.ask("select extract(epoch from now())::bigint % 60")[0][0])
    time.sleep(left + 0.1 if left < 15 else 0)      # or the clock's next minute begins meanwhile
    raised(site, "offer", "the first")
    told(1)
    for n in range(60):
        raised(site, "dead_object", "invoice:in_%d" % n)
    time.sleep(0.5)
    assert len(told(1)) == 1
    pass_a_minute(site)
    assert told(2)[1]["subject"] == "Tollgate: 50 alerts" and "in all: 61" in told(2)[1]["text"]
    pass_a_minute(site)
    assert told(3)[2]["subject"] == "Tollgate: 10 alerts"


@pytest.mark.parametrize("address", ["ops", "a@b.example, c@d.example", "Ops <a@b.example>"])
def test_c90_what_is_no_address_is_refused(site, address):
    site.configure(more='ops = { alert_to = "%s"; };' % address)
    assert b"must be one address, as in" in site.run("check").stderr
