"""tollgate alerts: an alert is listed until it is cleared, automatically or by hand."""


def raised(site, kind, subject):
    site.ask("select ops.raise_alert(null, %s, %s, '{\"status\": \"odd\"}')", kind, subject)


def test_what_is_open_is_listed_the_newest_first(site):
    assert site.json("alerts", "list") == []
    assert "no open alerts" in site.ok("alerts", "list")
    raised(site, "unknown_price", "price_1")
    raised(site, "foreign_event", "livemode")
    assert [(a["kind"], a["subject"]) for a in site.json("alerts", "list")] == \
        [("foreign_event", "livemode"), ("unknown_price", "price_1")]
    said = site.ok("alerts", "list")
    assert "foreign_event" in said and "price_1" in said


def test_one_is_cleared_by_its_id_and_comes_back_with_its_cause(site):
    raised(site, "unknown_price", "price_1")
    ident, = [a["id"] for a in site.json("alerts", "list")]
    assert "is cleared" in site.ok("alerts", "clear", str(ident))
    assert site.json("alerts", "list") == []
    done = site.run("alerts", "clear", str(ident))
    assert done.returncode == 1 and b"there is no open alert" in done.stderr
    raised(site, "unknown_price", "price_1")
    assert len(site.json("alerts", "list")) == 1


def test_what_is_no_id_is_told_where_to_find_one(site):
    for word in ("x", "1.5", "1; drop", "9" * 30):
        done = site.run("alerts", "clear", word)
        assert done.returncode == 64 and b"tollgate alerts list" in done.stderr, word
