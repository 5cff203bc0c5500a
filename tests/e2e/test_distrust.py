"""Deliveries that do not verify, or are not of our kind: the operator learns why, and strangers raise no alert."""
import json
import secrets
import time
from pathlib import Path

import pytest
from journey import wait_until
from scarce import scarce
from test_scarce import library  # noqa: F401
from test_webhook import RECEIVED, new_event, post, sign  # noqa: F401

KINDS = ("webhook_signature", "thin_event")


@pytest.fixture
def told(db):
    db.execute("update ops.alerts set cleared_at = now() where kind = any (%s)", list(KINDS))
    yield lambda: db.rows("select kind, subject from ops.alerts where kind = any (%s) and cleared_at is null",
                          list(KINDS))
    db.execute("update ops.alerts set cleared_at = now() where kind = any (%s)", list(KINDS))


def causes(stack, since):
    path = Path(stack["log_dir"]) / "webhooks.log"
    text = path.read_text() if path.exists() else ""
    return len(text), [json.loads(line)["cause"] for line in text[since:].splitlines()
                       if '"webhook_distrusted"' in line]


def test_f69_the_log_says_why_a_signature_is_refused_and_the_answer_does_not(stack, post):  # noqa: F811
    body = new_event()[1]
    right = stack["webhook_secret"]
    since, _ = causes(stack, 0)
    answers = [post(*sent) for sent in (
        (body, sign("whsec_" + "0" * 40, body)), (body, sign(right, body, int(time.time()) - 3600)),
        (body + b"\n", sign(right, body)), (body[:50], sign(right, body)), (body, "t=1, v1=00"))]
    body = b'{"error":"Invalid signature","code":"invalid_signature"}'
    assert {(answer.status, answer.body) for answer in answers} == {(400, body)}
    if stack["server"] == "nginx":
        assert causes(stack, since)[1] == ["secret", "clock", "body", "body", "form"]


def test_s08_a_strangers_garbage_raises_no_alert(post, told):  # noqa: F811
    for n in range(40):
        body = new_event()[1]
        post(body, sign("whsec_" + secrets.token_hex(20), body), **({"User_Agent": "curl/8"} if n % 2 else {}))
    assert told() == []


def test_f74_a_thin_event_is_told_to_the_operator(post, told):  # noqa: F811
    for _ in range(2):
        body = json.dumps({"id": "evt_" + secrets.token_hex(12), "object": "v2.core.event", "livemode": False,
                           "type": "v1.customer.created", "created": "2026-07-29T10:00:00.123Z"}).encode()
        assert post(body).body == RECEIVED
    assert told() == [("thin_event", "webhooks")]


BAD = {"secret": lambda right, body: (body, sign("whsec_" + "0" * 40, body)),
       "clock": lambda right, body: (body, sign(right, body, int(time.time()) - 3600)),
       "body": lambda right, body: (body[:50], sign(right, body))}


@pytest.mark.only("nginx")
def test_f69_deliveries_that_keep_failing_raise_an_alert_until_one_verifies(stack, library, post, told):  # noqa: F811
    """For a minute, which passes here by the clock of the program."""
    right = stack["webhook_secret"]
    with scarce(stack, "webhooks", library) as program:
        for cause, bad in BAD.items():
            for _ in range(5):
                assert post(*bad(right, new_event()[1])).status == 400
            assert told() == []
            program.counters.monotonic += 61
            assert post(*bad(right, new_event()[1])).status == 400
            wait_until(lambda: told() == [("webhook_signature", cause)])
            assert post(new_event()[1]).body == RECEIVED
            wait_until(lambda: told() == [])
        assert program.deaths == 0
