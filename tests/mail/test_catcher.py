"""The mail catcher keeps what a mail server would get, and can fail like one."""
import json
import re
import smtplib
import subprocess
from email.message import EmailMessage
from pathlib import Path

import pytest
import requests


@pytest.fixture
def catcher():
    process = subprocess.Popen([Path(__file__).with_name("catcher")], stdout=subprocess.PIPE, text=True)
    yield json.loads(process.stdout.readline())
    process.terminate()
    assert process.wait(10) == 0


def send(catcher, to="ada@example.com", text="Click http://localhost:1/en/signin/link?t=abc&x=1 now"):
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "Tollgate <no-reply@example.com>", to, "Grüße <b>"
    message.set_content(text)
    message.add_alternative("<p>Hallo</p>", subtype="html")
    host, port = catcher["smtp"].removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=5) as client:
        client.send_message(message)


def mails(catcher, **query):
    return requests.get(catcher["url"] + "/mails", params=query, timeout=5).json()


def answer(catcher, **fault):
    return requests.post(catcher["url"] + "/answer", json=fault, timeout=5)


def test_a_mail_is_told_in_parts(catcher):
    send(catcher)
    mail, = mails(catcher)
    assert (mail["subject"], mail["to"], mail["html"].strip()) == ("Grüße <b>", ["ada@example.com"], "<p>Hallo</p>")
    assert mail["text"].startswith("Click http://localhost:1/")
    assert ["To", "ada@example.com"] in mail["headers"]


def test_mails_are_found_by_recipient_and_forgotten(catcher):
    send(catcher)
    send(catcher, to="bob@example.com")
    assert [m["to"] for m in mails(catcher, to="BOB@example.com")] == [["bob@example.com"]]
    requests.delete(catcher["url"] + "/mails", timeout=5)
    assert mails(catcher) == []


def test_the_page_escapes_and_links(catcher):
    send(catcher)
    page = requests.get(catcher["url"], timeout=5).text
    assert "Grüße &lt;b&gt;" in page
    assert re.findall(r'href="([^"]*)"', page) == ["http://localhost:1/en/signin/link?t=abc&amp;x=1"]


def test_a_refusal_lasts_as_often_as_asked(catcher):
    answer(catcher, at="data", reply="451 4.3.0 later", times=1)
    with pytest.raises(smtplib.SMTPDataError) as error:
        send(catcher)
    assert error.value.smtp_code == 451 and mails(catcher) == []
    send(catcher)
    assert len(mails(catcher)) == 1


def test_a_recipient_is_refused_until_further_notice(catcher):
    answer(catcher, at="rcpt", reply="550 5.1.1 unknown")
    for _ in range(2):
        with pytest.raises(smtplib.SMTPRecipientsRefused):
            send(catcher)
    answer(catcher)
    send(catcher)


def test_a_dropped_answer_leaves_the_mail_taken(catcher):
    answer(catcher, at="data", reply="drop", times=1)
    with pytest.raises(smtplib.SMTPServerDisconnected):
        send(catcher)
    assert len(mails(catcher)) == 1


def test_an_unknown_answer_is_refused(catcher):
    assert answer(catcher, at="data", reply="maybe").status_code == 400


def test_what_came_before_tls_is_told(catcher):
    send(catcher)
    clear = requests.get(catcher["url"] + "/heard", timeout=5).json()["clear"]
    assert "TO:<ada@example.com>" in clear and "Click http" in clear
