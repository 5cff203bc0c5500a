"""tollgate audit: a row of the log that was changed or taken out later is named."""


def noted(site, n):
    site.ask("select audit.note('tenant_named') from generate_series(1, %s::int)", str(n))


def test_f222_rows_that_were_altered_or_are_missing_are_named(site):
    noted(site, 5)
    last = int(site.ask("select n from audit.head")[0][0])
    assert f"{last} rows, as they were written; the last one's hash is " in site.ok("audit", "verify")
    assert site.json("audit", "verify")["faults"] == []
    site.ask("update audit.entries set kind = 'invited' where n = %s::int - 3 returning 1", str(last))
    site.ask("delete from audit.entries where n in (%s::int - 1, %s::int) returning 1", str(last), str(last))
    done = site.run("audit", "verify")
    assert done.returncode == 1
    assert done.stdout.decode().splitlines()[:2] == [f"{last - 3}\taltered", f"{last - 1} to {last}\tmissing"]
    told = site.run("audit", "verify", "--json")
    assert told.returncode == 1 and b'"missing"' in told.stdout


def test_f222_a_long_log_is_checked_in_parts(site):
    """More rows than one statement checks; a fault in the second part, and one at the seam."""
    site.ask("""do $$ declare e audit.entries; h audit.head; begin
        select * into h from audit.head;
        for n in h.n + 1 .. 20010 loop
            e := row(n, clock_timestamp(), 'tenant_named', null, null, null, '{}', null);
            e.hash := audit.hash_of(h.hash, e);
            insert into audit.entries select e.*;
            h.hash := e.hash;
        end loop;
        update audit.head set n = 20010, hash = h.hash;
    end $$""")
    done = site.run("audit", "verify")
    assert done.returncode == 0 and b"20010 rows, as they were written" in done.stdout
    assert b"rows checked: 20010" in done.stderr
    site.ask("delete from audit.entries where n = 20001 returning 1")
    site.ask("update audit.entries set kind = 'invited' where n in (20000, 20005) returning 1")
    assert [(f["n"], f["fault"]) for f in site.json("audit", "verify", code=1)["faults"]] == [
        (20000, "altered"), (20001, "missing"), (20005, "altered")]
