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
