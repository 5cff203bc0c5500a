"""tollgate mail: which mails wait and why, and what is to become of them."""
import uuid

import pytest

WAITS, DEAD, SENT = (str(uuid.UUID(int=n)) for n in (1, 2, 3))


@pytest.fixture
def three(site):
    site.ask("""insert into mail.outbox (id, key, recipient, template, language, state, data, attempts, last_error,
            cause, next_at, created_at)
        values (%s, 'waits', 'ada@example.com', 'signin', 'en', 'pending',
                '{"request": "r-1", "plan": "plan_starter"}', 3, 'RCPT: 550 5.7.1 no', 'RCPT 550 5.7.1',
                now() + interval '20 min', now()),
            (%s, 'dead', 'bob@example.com', 'failed', 'de', 'dead', '{}', 10, '450 busy', null, now(),
                now() - interval '1 h'),
            (%s, 'sent', 'eve@example.com', 'failed', 'de', 'sent', '{}', 0, null, null, now(),
                now() - interval '2 h')""", WAITS, DEAD, SENT)
    site.ask("select ops.raise_alert(null, 'mail_refused', 'RCPT 550 5.7.1', '{}')")
    return site


def states(site):
    return dict(site.ask("select id::text, state from mail.outbox"))


def test_f105_what_waits_and_what_is_dead_is_listed_with_the_servers_words(three):
    assert [m["id"] for m in three.json("mail", "list")] == [WAITS, DEAD]
    assert [m["id"] for m in three.json("mail", "list", "--state", "sent")] == [SENT]
    assert [m["id"] for m in three.json("mail", "list", "--limit", "1")] == [WAITS]
    said = three.ok("mail", "list")
    assert "RCPT: 550 5.7.1 no" in said and "ada@example.com" in said
    assert three.run("mail", "list", "--state", "odd").returncode == 64


def test_f43_a_mail_is_shown_without_what_proves_anything(three):
    mail = three.json("mail", "show", WAITS)
    assert (mail["to"], mail["cause"], mail["about"]) == ("ada@example.com", "RCPT 550 5.7.1", {"plan": "plan_starter"})
    assert "r-1" not in three.ok("mail", "show", WAITS)
    assert three.run("mail", "show", str(uuid.UUID(int=9))).returncode == 1
    assert three.run("mail", "show", "x").returncode == 64


def test_f105_one_is_tried_again_or_all_that_wait_or_all_that_are_dead(three):
    assert three.json("mail", "retry", DEAD) == {"due": 1}
    assert three.ask("select state, attempts, next_at <= now() from mail.outbox where id = %s", DEAD) == \
        [("pending", 0, True)]
    assert three.run("mail", "retry", SENT).returncode == 1
    three.ask("update mail.outbox set state = 'dead' where id = %s", DEAD)
    assert three.json("mail", "retry", "--dead") == {"due": 1}
    assert three.ask("select next_at > now() from mail.outbox where id = %s", WAITS) == [(True,)]
    assert "2 mails" in three.ok("mail", "retry")
    assert three.ask("select count(*) from mail.outbox where state = 'pending' and next_at <= now()") == [(2,)]
    three.ask("update mail.outbox set claimed_until = now() + interval '1 min'")
    assert three.json("mail", "retry") == {"due": 0}, "one that is being sent is left alone"


def test_f105_one_is_given_up_and_its_alert_with_it(three):
    assert "canceled" in three.ok("mail", "cancel", WAITS)
    assert states(three) == {WAITS: "canceled", DEAD: "dead", SENT: "sent"}
    assert three.json("alerts", "list") == []
    for done in (WAITS, SENT):
        assert three.run("mail", "cancel", done).returncode == 1
    assert three.json("mail", "retry", "--dead") == {"due": 1} and states(three)[WAITS] == "canceled"
