"""tollgate events: lists, shows and replays what arrived."""
import json
import subprocess
import time

import pytest

from conftest import BUILD


@pytest.fixture
def three(site):
    for n, (type_, kind, obj) in enumerate([("invoice.paid", "subscription", "sub_1"),
                                            ("customer.updated", "customer", "cus_1"), ("plan.created", None, None)]):
        site.receive("evt_%d" % n, type_, kind, obj)
        site.ask("update inbox.events set received_at = now() - make_interval(hours => %s) where id = %s", n,
                 "evt_%d" % n)
    return site


def ids(site, *arguments):
    return [event["id"] for event in site.json("events", "list", *arguments)]


def test_c80_events_are_listed_newest_first_and_chosen_by_what_they_are(three):
    assert ids(three) == ["evt_0", "evt_1", "evt_2"]
    assert ids(three, "--state", "ignored") == ["evt_2"]
    assert ids(three, "--type", "invoice.*") == ["evt_0"]
    assert ids(three, "--type", "invoice") == []
    assert ids(three, "--object", "cus_1") == ["evt_1"]
    assert ids(three, "--since", "90m") == ["evt_0", "evt_1"]
    assert ids(three, "--until", "30m") == ["evt_1", "evt_2"]
    assert ids(three, "--since", "2000-01-01", "--until", "2001-01-01") == []
    assert ids(three, "--limit", "2") == ["evt_0", "evt_1"]


def test_events_are_a_table_for_people(three):
    lines = three.ok("events", "list").splitlines()
    assert lines[0].split() == ["RECEIVED", "EVENT", "STATE", "TRIES", "TYPE", "OBJECT"]
    assert [line.split()[2:] for line in lines[1:]] == [
        ["evt_0", "received", "0", "invoice.paid", "sub_1"], ["evt_1", "received", "0", "customer.updated", "cus_1"],
        ["evt_2", "ignored", "0", "plan.created", "-"]]


@pytest.mark.parametrize("arguments", [("--limit", "0"), ("--limit", "x"), ("--limit", "10001")])
def test_a_limit_that_is_none_is_usage(three, arguments):
    assert three.run("events", "list", *arguments).returncode == 64


@pytest.mark.parametrize("command", [("list",), ("replay", "--since", "1h")])
@pytest.mark.parametrize("arguments, why", [
    (("--state", "foo"), "--state must be received, done, ignored or dead"), (("--state", ""), "--state must"),
    (("--type", "*.paid"), "--type must be"), (("--type", ""), "--type must be"),
    (("--object", ""), "--object must be")])
def test_c80_a_filter_that_no_event_can_match_is_usage(three, command, arguments, why):
    done = three.run("events", *command, *arguments)
    assert (done.returncode, done.stdout) == (64, b"") and why in done.stderr.decode()


@pytest.mark.parametrize("command", ["list", "replay"])
def test_c80_a_range_of_time_that_ends_before_it_begins_is_refused(three, command):
    done = three.run("events", command, "--since", "1d", "--until", "2d")
    assert done.returncode == 1 and b"--since must be before --until" in done.stderr


def test_a_time_that_is_none_is_told_how_to_write(three):
    done = three.run("events", "list", "--since", "yesterweek")
    assert done.returncode == 1 and b"a time is 2026-07-29" in done.stderr


@pytest.mark.parametrize("raw", [b'{"id": "evt_x",\r\n "n": 1}', b"\xff\x00\xfe {", "{\"é\": \"\u2028\"}".encode()])
def test_show_gives_back_the_exact_bytes(site, raw):
    site.receive("evt_x", raw=raw)
    assert site.run("events", "show", "evt_x", "--raw").stdout == raw
    shown = site.json("events", "show", "evt_x")
    assert bytes.fromhex(shown["raw"]) == raw
    assert (shown["state"], shown["signature_header"], shown["object"]["version"]) == ("received", "t=1", 1)


def test_what_a_stranger_wrote_does_not_reach_the_terminal(site):
    site.receive("evt_x", type_="a\x1b[2Jb", raw=b"{\x1b[2J}")
    assert "\x1b" not in site.ok("events", "list") + site.ok("events", "show", "evt_x")


def test_f77_an_event_tells_how_often_its_object_failed(site):
    for n in (1, 2):
        site.receive("evt_%d" % n)
    claim, = site.ask("select service.claim_object(60) ->> 'claim'")[0]
    site.ask("select service.fail_object(%s::uuid, 'customer', 'cus_1', 'upstream')", claim)
    site.receive("evt_3")
    assert {e["id"]: e["attempts"] for e in site.json("events", "list")} == {"evt_1": 1, "evt_2": 1, "evt_3": 0}
    assert site.json("events", "show", "evt_1")["attempts"] == 1


def test_c80_events_of_an_object_are_found_whatever_became_of_them(site):
    site.ask("insert into inbox.events (id, type, livemode, raw, state, object_kind, object_id, received_at) "
             "select 'evt_' || n, 'customer.updated', false, '{}', case n % 1000 when 1 then 'received' "
             "when 2 then 'dead' when 3 then 'ignored' else 'done' end, 'customer', 'cus_' || n / 10, "
             "now() - make_interval(hours => n % 2000) from generate_series(1, 40000) n")
    site.ask("analyze inbox.events")
    assert sorted(ids(site, "--object", "cus_0")) == ["evt_%d" % n for n in range(1, 10)]
    plan = "\n".join(line for line, in site.ask(
        "explain select * from inbox.events e where e.object_id = 'cus_0' and (e.state = 'done' or e.state <> 'done')"))
    assert "BitmapOr" in plan and "Seq Scan" not in plan, plan


def test_c33_jobs_keeps_events_as_long_as_configured(site):
    site.conf.write_text(site.conf.read_text().replace("jobs = {", "jobs = { keep_days = 31;"))
    for n, days in enumerate((30, 32)):
        site.receive("evt_%d" % n, "plan.created", None, None)
        site.ask("update inbox.events set received_at = now() - make_interval(days => %s) where id = %s", days,
                 "evt_%d" % n)
    jobs = subprocess.Popen([BUILD / "jobs", "--config", site.conf], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 10
    while len(site.json("events", "list")) > 1 and time.monotonic() < deadline:
        time.sleep(0.05)
    jobs.terminate()
    jobs.wait()
    assert ids(site) == ["evt_0"]


def test_f105_status_says_where_the_reason_of_a_dead_mail_is(site):
    hint = "given up; why: tollgate mail list --state dead"
    assert hint not in site.ok("status")
    site.ask("insert into mail.outbox (key, recipient, template, language, state) "
             "values ('k', 'a@b.example', 'welcome', 'en', 'dead')")
    assert hint in site.ok("status")


def test_show_knows_no_other(site):
    done = site.run("events", "show", "evt_x")
    assert done.returncode == 1 and b"there is no event evt_x" in done.stderr


def clean(site):
    site.ask("update sync.objects set clean_version = version")
    site.ask("update inbox.events set state = 'done', done_at = now() where object_kind is not null")


def test_f80_a_replayed_event_makes_its_object_due_again(site):
    site.receive("evt_1")
    clean(site)
    assert site.due() == []
    said = site.ok("events", "replay", "evt_1", "--dry-run")
    assert said == "evt_1 customer.updated done: would fetch customer cus_1\n" and site.due() == []
    for _ in range(2):
        assert "fetches customer cus_1" in site.ok("events", "replay", "evt_1")
        assert site.due() == [("customer", "cus_1")]
    assert site.ask("select state from inbox.events") == [("done",)]


def test_f80_all_that_is_dead_comes_to_life(site):
    for n in range(3):
        site.receive("evt_%d" % n, obj="cus_%d" % (n % 2))
    site.ask("update inbox.events set state = 'dead'")
    site.ask("update sync.objects set dead_at = now(), attempts = 12, last_error = 'upstream' where kind = 'customer'")
    site.ask("insert into sync.objects (kind, id, dead_at) values ('invoice', 'in_1', now())")
    dead = site.json("events", "dead")
    assert [(row["object"], row["events"]) for row in dead] == [
        ("cus_0", ["evt_0", "evt_2"]), ("cus_1", ["evt_1"]), ("in_1", [])]
    assert len(site.lines("events", "replay", "--dead", "--dry-run")) == 4
    assert site.json("events", "dead") == dead
    assert len(site.lines("events", "replay", "--dead")) == 4
    assert site.json("events", "dead") == []
    assert site.due() == [("customer", "cus_0"), ("customer", "cus_1"), ("invoice", "in_1")]
    assert site.ask("select distinct state from inbox.events") == [("received",)]
    assert site.ok("events", "replay", "--dead") == ""


def test_f80_a_range_of_time_is_replayed_page_by_page(site):
    site.ask("insert into inbox.events (id, type, livemode, raw, signature_header, state, object_kind,"
             " object_id, received_at) select 'evt_' || n, 'customer.updated', false, '{}', '', 'done', 'customer',"
             " 'cus_' || n % 100, now() - make_interval(mins => n / 2) from generate_series(1, 13000) n")
    said = site.lines("events", "replay", "--since", "6001m", "--until", "1m")
    assert len(said) == len({line["id"] for line in said}) == 12000
    assert len(site.due()) == 100


def test_an_event_not_understood_when_it_came_is_read_anew(site):
    event = {"id": "evt_1", "object": "event", "type": "customer.updated", "data": {"object": {"id": "cus_7"}}}
    site.receive("evt_1", kind=None, obj=None, raw=json.dumps(event).encode())
    site.receive("evt_2", type_="plan.created", kind=None, obj=None, raw=b'{"id": "evt_2", "type": "plan.created"}')
    site.receive("evt_3", kind=None, obj=None, raw=b"\xff")
    told = site.lines("events", "replay", "--since", "1h", "--dry-run")
    assert len(told) == 3 and [line for line in told if "raw" in line] == []
    said = site.ok("events", "replay", "--since", "1h")
    assert "fetches customer cus_7" in said and "evt_2 plan.created ignored: names no object to fetch" in said
    assert site.due() == [("customer", "cus_7")]
    assert site.ask("select state from inbox.events order by id") == [("received",), ("ignored",), ("ignored",)]


def test_replay_wants_to_know_what_once(site):
    for arguments in ((), ("evt_1", "--dead"), ("--dead", "--since", "1h"), ("--dead", "--type", "invoice.*")):
        assert site.run("events", "replay", *arguments).returncode == 64
    assert site.run("events", "replay", "evt_nosuch").returncode == 1


def test_progress_is_plain_lines_where_there_is_no_terminal(site):
    site.receive("evt_1")
    done = site.run("events", "replay", "--since", "1h")
    assert done.stderr == b"events replayed: 1 of 1\n"


def on_terminal(site, *arguments, **env):
    command = " ".join(str(word) for word in (BUILD / "tollgate", *arguments, "--config", site.conf))
    return subprocess.run(["script", "-qec", command, "/dev/null"], capture_output=True, timeout=60,
                          stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/bin:/bin", "TERM": "xterm", **env}).stdout.decode()


def test_progress_is_a_bar_on_a_terminal(site):
    site.receive("evt_1")
    said = on_terminal(site, "events", "replay", "--since", "1h")
    assert "\r" in said and "[" + "#" * 30 + "] 1/1" in said
    assert "[#" not in on_terminal(site, "events", "replay", "--since", "1h", TERM="dumb")


def test_colours_are_for_terminals_that_want_them(site):
    site.tenant("anna@example.com")
    assert "\x1b[31mdenied" in on_terminal(site, "explain", "anna@example.com")
    assert "\x1b" not in on_terminal(site, "explain", "anna@example.com", NO_COLOR="1")
    assert "\x1b" not in site.ok("explain", "anna@example.com")
