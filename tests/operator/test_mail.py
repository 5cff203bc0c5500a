"""mailer and a mail server with TLS, good and bad: what goes over the wire, and what becomes of the mail."""
import json
import os
import socket
import subprocess
import threading
import time

import pytest
import requests
from conftest import BUILD, ROOT

PASSWORD, TOKEN = "correct-horse", "T" * 43
STORE = """insert into mail.outbox (key, recipient, template, language, data) values ('a fact', 'ada@example.com',
    'signin', 'en', jsonb_build_object('token', %s::text, 'code', 'ABCD-EFGH'))"""


@pytest.fixture(scope="module")
def tls(tmp_path_factory):
    """A directory of certificates, and of what makes libcurl trust their authority."""
    directory = tmp_path_factory.mktemp("tls")
    subprocess.run([ROOT / "tests/tls/certificates", directory], check=True)
    (directory / "trust.c").write_text('#define _GNU_SOURCE\n#include "%s"\n' % (ROOT / "tests/tls/trust.h"))
    subprocess.run(["cc", "-shared", "-fPIC", "-o", directory / "trust.so", directory / "trust.c"], check=True)
    return directory


@pytest.fixture
def start(site, tls):
    """A function that starts a catcher with these options, and a mailer with these settings; the catcher's URL."""
    started = []

    def launch(argv, env, **more):
        started.append(subprocess.Popen(argv, env={"PATH": os.environ["PATH"], **env}, **more))
        return started[-1]

    def run(*options, mail="timeout_ms = 5000;", user="joe", conf="old.conf", env=(), url=None):
        catcher = launch([ROOT / "tests/mail/catcher", *options], {"OPENSSL_CONF": str(tls / conf)},
                         stdout=subprocess.PIPE, text=True)
        told = json.loads(catcher.stdout.readline())
        catcher.stdout.close()
        password = site.path / "mail.password"
        password.write_text(PASSWORD)
        password.chmod(0o600)
        lines = 'mail = { url = "%s"; from = "no-reply@example.com"; user = "%s"; poll_ms = 20; %s %s };' % (
            url or told["smtp"], user, mail, 'password_file = "%s";' % password)
        text = site.conf.read_text().splitlines()
        site.conf.write_text("\n".join(lines if line.startswith("mail = ") else line for line in text))
        run.mailer = lambda: launch([BUILD / "mailer", "--config", site.conf], {
            "LD_PRELOAD": str(tls / "trust.so"), "TEST_CA": str(tls / "ca.crt"),
            "OPENSSL_CONF": str(tls / "old.conf"), **dict(env)}, stderr=subprocess.DEVNULL)
        return told["url"]
    yield run
    for process in started:
        process.kill()
        process.wait(10)


def sent(site, start):
    """Stores a mail, and lets the mailer try it once: (state, attempts, the reason)."""
    site.ask(STORE, TOKEN)
    start.mailer()
    deadline = time.monotonic() + 20
    while True:
        state, attempts, why = site.ask("select state, attempts, last_error from mail.outbox")[0]
        if state != "pending" or attempts > 0:
            return state, attempts, why
        assert time.monotonic() < deadline
        time.sleep(0.02)


def wait(true):
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def heard(url):
    return requests.get(url + "/heard", timeout=5).json()


def mails(url):
    return requests.get(url + "/mails", timeout=5).json()


def answer(url, **fault):
    assert requests.post(url + "/answer", json=fault, timeout=5).status_code == 200


def assert_waits_unread(site, url):
    """The mail waits, whole, and neither it nor the login was seen by whoever listens."""
    state, secret = site.ask("select state, data ->> 'token' from mail.outbox")[0]
    assert (state, secret) == ("pending", TOKEN)
    assert mails(url) == [] and heard(url)["logins"] == []
    for word in ("AUTH", "MAIL", "RCPT", "DATA", "ada", TOKEN, "joe", PASSWORD):
        assert word not in heard(url)["clear"]


def assert_arrived_encrypted(url, user="joe"):
    mail, = mails(url)
    assert mail["to"] == ["ada@example.com"] and TOKEN in mail["text"].replace("=\n", "")
    assert heard(url)["logins"] == ([[user, PASSWORD, True]] if user else [])
    for word in ("MAIL", "AUTH", "ada", TOKEN, PASSWORD):
        assert word not in heard(url)["clear"]


def test_f105_starttls_with_a_good_certificate_delivers(site, start, tls):
    url = start("--certificate", tls / "good.pem", "--login")
    assert sent(site, start) == ("sent", 0, None)
    assert_arrived_encrypted(url)
    assert "STARTTLS" in heard(url)["clear"]


def test_f105_starttls_without_a_login_delivers(site, start, tls):
    url = start("--certificate", tls / "good.pem", user="")
    assert sent(site, start) == ("sent", 0, None)
    assert_arrived_encrypted(url, user=None)


def test_f105_smtps_with_a_good_certificate_delivers(site, start, tls):
    url = start("--certificate", tls / "good.pem", "--smtps", "--login")
    assert sent(site, start) == ("sent", 0, None)
    assert_arrived_encrypted(url)
    assert heard(url)["clear"] == ""


@pytest.mark.parametrize("smtps", [(), ("--smtps",)], ids=["starttls", "smtps"])
@pytest.mark.parametrize("name", ["stranger", "self", "other", "expired", "future"])
def test_f105_a_bad_certificate_of_a_mail_server_gets_nothing(site, start, tls, name, smtps):
    url = start("--certificate", tls / (name + ".pem"), "--login", *smtps)
    state, _, why = sent(site, start)
    assert state == "pending" and why.startswith("SSL peer certificate or SSH remote key was not OK")
    assert why.endswith("the server's certificate must be for the host in mail.url, and by an authority trusted here")
    assert_waits_unread(site, url)


def test_f105_starttls_that_is_not_offered_gets_nothing(site, start):
    url = start("--login")
    assert sent(site, start)[0] == "pending"
    assert_waits_unread(site, url)


@pytest.mark.parametrize("reply", ["454 4.7.0 TLS not available", "554 5.7.3 no", "drop"])
def test_f105_starttls_that_is_refused_gets_nothing(site, start, tls, reply):
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at="starttls", reply=reply)
    assert sent(site, start)[0] == "pending"
    assert_waits_unread(site, url)


@pytest.mark.parametrize("smtps", [(), ("--smtps",)], ids=["starttls", "smtps"])
def test_f105_a_mail_server_with_tls_older_than_1_2_gets_nothing(site, start, tls, smtps):
    url = start("--certificate", tls / "good.pem", "--login", *smtps, conf="oldest.conf")
    assert sent(site, start)[0] == "pending"
    assert_waits_unread(site, url)


def test_f105_starttls_is_not_asked_for_where_it_is_off(site, start):
    url = start(mail="starttls = false;", user="")
    assert sent(site, start) == ("sent", 0, None)
    assert "STARTTLS" not in heard(url)["clear"] and len(mails(url)) == 1


@pytest.mark.parametrize("at, reply", [
    ("greeting", "554 5.3.2 no service"), ("login", "535 5.7.8 wrong password"), ("login", "454 4.7.0 later"),
    ("mail", "530 5.7.0 authentication required")])
def test_f105_a_server_that_refuses_all_mails_costs_no_mail(site, start, tls, at, reply):
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at=at, reply=reply)
    assert sent(site, start)[0] == "pending"
    assert mails(url) == []


@pytest.mark.parametrize("reply", [
    "550 5.1.1 no such mailbox", "553 5.1.3 bad address", "550 5.1.10 null MX", "550 5.2.1 mailbox disabled"])
@pytest.mark.parametrize("at", ["mail", "rcpt", "data"])
def test_f105_a_message_whose_recipient_is_no_more_is_given_up(site, start, tls, at, reply):
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at=at, reply=reply)
    assert sent(site, start) == ("dead", 1, "%s: %s" % (at.upper(), reply))
    assert site.json("alerts", "list") == []


OURS = [
    ("greeting", "554 5.3.2 no service", "greeting 554 5.3.2"),
    ("hello", "504 5.5.2 <localhost>: Helo command rejected", "EHLO 504 5.5.2"),
    ("login", "535 5.7.8 wrong password", "AUTH 535 5.7.8"),
    ("mail", "530 5.7.0 authentication required", "MAIL 530 5.7.0"),
    ("mail", "553 5.1.8 sender's domain not found", "MAIL 553 5.1.8"),
    ("mail", "553 5.1.0 sender rejected", "MAIL 553 5.1.0"),
    ("rcpt", "504 5.5.2 need a fully-qualified hostname", "RCPT 504 5.5.2"),
    ("rcpt", "550 5.7.1 relaying denied", "RCPT 550 5.7.1"),
    ("rcpt", "554 relay access denied", "RCPT 554"),
    ("rcpt", "550 no such user", "RCPT 550"),
    ("data", "552 5.3.4 message too big", "DATA 552 5.3.4")]


@pytest.mark.parametrize("at, reply, cause", OURS)
def test_f105_what_is_not_the_recipients_fault_waits_and_is_an_alert(site, start, tls, at, reply, cause):
    """However often; and once it is mended all that waited for it goes, and the alert is over."""
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at=at, reply=reply)
    state, attempts, why = sent(site, start)
    assert (state, attempts) == ("pending", 1) and why.endswith(": " + reply)
    alert, = site.json("alerts", "list")
    assert (alert["kind"], alert["subject"], alert["detail"]) == ("mail_refused", cause, {"error": why})
    site.ask("update mail.outbox set attempts = 40, outages = 40, next_at = now()")
    wait(lambda: site.ask("select attempts from mail.outbox") == [(41,)])
    assert site.ask("select state, next_at < now() + interval '1 hour' from mail.outbox") == [("pending", True)]
    site.ask("insert into mail.outbox (key, recipient, template, language, cause, next_at) "
             "values ('another', 'bob@example.com', 'failed', 'en', %s, now() + interval '30 min')", cause)
    answer(url)
    site.ask("update mail.outbox set next_at = now() where key <> 'another'")
    wait(lambda: site.ask("select distinct state from mail.outbox") == [("sent",)])
    assert site.json("alerts", "list") == []


def test_f105_a_server_that_says_later_ten_times_is_believed(site, start, tls):
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at="rcpt", reply="450 4.2.1 mailbox busy")
    site.ask(STORE, TOKEN)
    site.ask("update mail.outbox set attempts = 12, outages = 3")
    start.mailer()
    wait(lambda: site.ask("select state from mail.outbox") == [("dead",)])


def test_f105_a_server_that_is_not_there_is_an_alert_at_the_third_try(site, start):
    start(mail="starttls = false;", user="", url="smtp://127.0.0.1:9")
    assert sent(site, start)[:2] == ("pending", 1)
    for tries in (2, 3):
        assert site.json("alerts", "list") == []
        site.ask("update mail.outbox set next_at = now()")
        wait(lambda: site.ask("select attempts from mail.outbox") == [(tries,)])
    assert [a["subject"] for a in site.json("alerts", "list")] == ["unreachable"]


def test_f43_what_a_server_quotes_of_a_mail_is_kept_without_links_and_tokens(site, start, tls):
    url = start("--certificate", tls / "good.pem", "--login")
    answer(url, at="data", reply="554 5.7.1 <ada@example.com> http://localhost/signin/link?t=%s %s spam" % (
        TOKEN, TOKEN))
    assert sent(site, start)[2] == "DATA: 554 5.7.1 <ada@example.com> *** *** spam"


@pytest.mark.parametrize("setting, name", [("", "localhost"), ('helo = "mx.example.com";', "mx.example.com"),
                                           ('helo = "[192.0.2.1]";', "[192.0.2.1]")])
def test_f105_the_mailer_names_itself_as_configured(site, start, setting, name):
    url = start(mail="starttls = false;" + setting, user="")
    assert sent(site, start)[0] == "sent"
    assert heard(url)["clear"].startswith("EHLO %s\r\n" % name)


def fall_silent(listener):
    """A mail server that says no more once it has greeted."""
    connection, _ = listener.accept()
    with connection:
        connection.sendall(b"220 localhost\r\n")
        connection.recv(1000)
        connection.sendall(b"250 localhost\r\n")
        while connection.recv(1000):
            pass


def test_f105_a_mail_server_that_falls_silent_costs_the_time_out(site, start):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        threading.Thread(target=fall_silent, args=(silent,), daemon=True).start()
        start(mail="timeout_ms = 500; starttls = false;", user="", url="smtp://127.0.0.1:%d" % silent.getsockname()[1])
        state, _, why = sent(site, start)
        assert state == "pending" and why.startswith("Timeout was reached")


def test_f05_mail_goes_through_no_proxy_of_the_environment(site, start, tls):
    proxy = "http://127.0.0.1:9"
    names = ("http_proxy", "https_proxy", "smtp_proxy", "SMTP_PROXY", "all_proxy", "ALL_PROXY")
    url = start("--certificate", tls / "good.pem", "--login", env=[(name, proxy) for name in names])
    assert sent(site, start) == ("sent", 0, None)
    assert_arrived_encrypted(url)
