#!/usr/bin/python3
"""Members who change each other at once, and many who write into the audit log: TAP, against the copy ./run made."""
from hashlib import sha256

import psycopg

from callers import at_once, ok, overlapped, run, value


def bearer(who):
    return sha256(who.encode()).hexdigest()


def act(who, call, *args):
    """A call of account as this user: its answer, or its SQLSTATE."""
    with psycopg.connect(f"options='-c role=tollgate_account -c search_path=pg_catalog -c app.bearer={bearer(who)}'",
                         autocommit=True) as connection:
        try:
            return connection.execute("select " + call, args).fetchone()[0]
        except psycopg.Error as error:
            return error.sqlstate


def team(*owners):
    """A tenant with these owners: its id, and theirs."""
    tenant = value("insert into app.tenants (status, name) values ('active', 'race') returning id")
    ids = []
    for who in owners:
        ids.append(value("select tap.user(%s)", f"{who}@example.org"))
        value("insert into app.members (tenant_id, user_id, role) values (%s, %s, 'owner') returning 1", tenant,
              ids[-1])
        value("select auth.open_session(%s, %s, '{link}', null, null, true)::text", ids[-1],
              sha256(bytes.fromhex(bearer(who))).digest())
    return tenant, ids


def owners(tenant):
    return value("select count(*) from app.members where tenant_id = %s and role = 'owner'", tenant)


def test_f210_two_owners_demote_each_other():
    rounds = []
    for n in range(10):
        names = [f"duo{n}a", f"duo{n}b"]
        tenant, ids = team(*names)
        answers = at_once(2, lambda i: act(names[i], "api.set_role(%s, %s, 'member')", tenant, ids[1 - i]))
        rounds.append((sorted(map(str, answers)), owners(tenant)))
    ok(all(left == 1 for _, left in rounds), "F210 of two who demote each other one stays an owner", rounds)
    ok(all(answers == ["None", "TG403"] for answers, _ in rounds), "F210 and the other is told that it may not", rounds)


def test_f210_two_owners_leave():
    tenant, _ = team("leaver0", "leaver1")
    answers = at_once(2, lambda i: act(f"leaver{i}", "api.leave_tenant(%s)", tenant))
    ok(sorted(map(str, answers)) == ["None", "TG409"] and owners(tenant) == 1, "F210 of two who leave one stays",
       (answers, owners(tenant)))


def test_f210_the_second_change_waits():
    tenant, ids = team("early", "later")
    call = ("select set_config('app.bearer', %s, true) is null or api.set_role(%s, %s, 'member') is null")
    early, later, waited = overlapped((call, bearer("early"), tenant, ids[1]), (call, bearer("later"), tenant, ids[0]))
    ok(waited and owners(tenant) == 1, "F210 the second waits for the row of the tenant", (early, later, waited))


def test_f210_two_owners_are_deleted():
    rounds = []
    for n in range(10):
        names = [f"gone{n}a", f"gone{n}b"]
        tenant, _ = team(*names)
        value("insert into app.members (tenant_id, user_id, role) values (%s, tap.user(%s), 'member') returning 1",
              tenant, f"stays{n}@example.org")
        rounds.append(sorted(key for answer in at_once(2, lambda i: act(names[i], "api.delete_user()"))
                             for key in answer))
    ok(all(keys == ["tenants", "until"] for keys in rounds), "F210 of two who are deleted one hands over first", rounds)


def test_f222_fifty_write_one_chain():
    team(*(f"writer{i}" for i in range(50)))
    before = value("select n from audit.head")
    answers = at_once(50, lambda i: act(f"writer{i}", "api.name_user(%s)", f"Writer {i}"))
    ok(set(answers) == {None}, "F222 fifty write at once", answers)
    ok(value("select n from audit.head") == before + 50, "F222 their rows are numbered without gaps")
    ok(value("select count(*) from audit.entries where n > %s", before) == 50, "F222 and all are there")
    faults = value("select ops.verify_audit() -> 'faults'")
    ok(faults == [], "F222 in one chain", faults)


run(globals())
