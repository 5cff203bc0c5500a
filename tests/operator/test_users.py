"""tollgate user: shows a user, changes an address, sends a link, ends sessions."""
import json

import pytest

ANN = "ann@example.com"


@pytest.fixture
def ann(site):
    site.tenant(ANN)
    site.ask("insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr) select u.id, "
             "now() + interval '1 day', now() + interval '1 day', now(), '{link}' "
             "from auth.users u, generate_series(1, 2)")
    return site


def test_c80_a_user_is_shown_with_tenants_and_sessions(ann):
    user = ann.json("user", "show", " Ann@example.com")
    assert (user["email"], user["sessions"]) == (ANN, 2) and user["last_sign_in"]
    assert len(user["tenants"]) == 1 and user["tenants"][0].endswith("(owner)")
    assert "sessions" in ann.ok("user", "show", ANN)
    for command in (["show"], ["link"], ["signout"], ["address", "--to", "x@example.com"]):
        done = ann.run("user", *command[:1], "bob@example.com", *command[1:])
        assert done.returncode == 1 and b"there is no user bob@example.com" in done.stderr, command


def test_c80_an_address_is_changed_and_both_are_told(ann):
    assert ann.json("user", "address", ANN, "--to", "Anna@example.com")["email"] == "Anna@example.com"
    assert ann.json("user", "show", "anna@example.com")["sessions"] == 2
    assert ann.run("user", "show", ANN).returncode == 1
    mails = ann.ask("select recipient, template, data from mail.outbox order by recipient collate \"C\"")
    assert [m[:2] for m in mails] == [("Anna@example.com", "address"), (ANN, "address")]
    assert all(m[2] == {"was": ANN, "new": "Anna@example.com"} for m in mails)


def test_c80_an_address_that_is_anothers_or_none_is_refused(ann):
    ann.tenant("bob@example.com")
    done = ann.run("user", "address", ANN, "--to", "BOB@example.com")
    assert done.returncode == 1 and b"is the address of another user" in done.stderr
    for arguments in (["--to", "no address"], []):
        assert ann.run("user", "address", ANN, *arguments).returncode == 64
    assert ann.ask("select count(*) from mail.outbox") == [(0,)]


def test_f53_a_link_sent_before_the_change_is_nothing_after_it(ann):
    assert ann.json("user", "link", ANN)["to"] == ANN
    claimed, = ann.ask("select service.claim_mail(60)")[0]
    assert (claimed["recipient"], claimed["template"]) == (ANN, "signin")
    ann.ok("user", "address", ANN, "--to", "anna@example.com")
    sign_in = ("select api.sign_in(sha256(decode(translate(%s, '-_', '+/') || '=', 'base64')), %s, null, sha256('t'), "
               "null, null)")
    answer, = ann.ask(sign_in, claimed["data"]["token"], claimed["data"]["code"])[0]
    assert not answer["ok"]
    ann.ok("user", "link", "anna@example.com")
    ann.ask("update mail.outbox set claimed_until = null, state = 'sent' where template = 'address'")
    claimed, = ann.ask("select service.claim_mail(60)")[0]
    answer, = ann.ask(sign_in, claimed["data"]["token"], claimed["data"]["code"])[0]
    assert answer["ok"]


def test_c80_a_second_factor_is_removed(ann):
    ann.ask("insert into auth.factors (user_id, seed, confirmed_at) select id, 'x', now() from auth.users")
    assert ann.json("user", "factor", ANN) == {"removed": True}
    assert ann.json("user", "factor", ANN) == {"removed": False}
    assert ann.ask("select recipient from mail.outbox where template = 'factor_removed'") == [(ANN,)]
    assert ann.run("user", "factor", "bob@example.com").returncode == 1


def test_c57_f210_a_user_is_deleted_and_kept(ann):
    ann.ask("select auth.add_user('bob@example.com')")
    ann.ask("insert into app.members (tenant_id, user_id, role) select tenant_id, auth.find_user('bob@example.com'), "
            "'member' from app.members")
    held = ann.run("user", "delete", ANN)
    assert held.returncode == 1 and b"hands them over first" in held.stderr
    ann.ask("delete from app.members where role = 'member'")
    until = ann.json("user", "delete", ANN)["until"]
    user = ann.json("user", "show", ANN)
    assert user["deleted_at"][:19] == until["iso"][:19] and user["sessions"] == 0
    assert ann.json("user", "undelete", ANN)["kept"] and ann.json("user", "show", ANN)["deleted_at"] is None
    again = ann.run("user", "undelete", ANN)
    assert again.returncode == 1 and b"no deletion of ann@example.com is under way" in again.stderr
    for command in ("delete", "undelete"):
        assert ann.run("user", command, "nobody@example.com").returncode == 1


def test_f40_all_sessions_of_a_user_end(ann):
    assert json.loads(ann.ok("user", "signout", ANN, "--json")) == {"ended": 2}
    assert ann.json("user", "signout", ANN) == {"ended": 0}
    assert ann.ask("select distinct revoke_reason from auth.sessions") == [("admin",)]
