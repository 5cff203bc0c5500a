"""tollgate admin: names the users who may use the pages of the site's operators."""
import pytest

ANN = "ann@example.com"


@pytest.fixture
def ann(site):
    site.tenant(ANN)
    return site


def test_c58_the_first_operator_is_named_and_removed(ann):
    assert "no operators" in ann.ok("admin", "list")
    said = ann.ok("admin", "add", " Ann@example.com")
    assert f"{ANN} is an operator now" in said and "a second factor" in said
    assert ann.json("admin", "add", ANN)["added"] is False
    row, = ann.json("admin", "list")
    assert (row["email"], row["factor"], row["suspended"]) == (ANN, False, False) and row["added_by"]
    assert ANN in ann.ok("admin", "list")
    assert "is no operator any more" in ann.ok("admin", "remove", ANN)
    assert "was no operator" in ann.ok("admin", "remove", ANN)
    assert ann.json("admin", "list") == []
    told = ann.ask("select e.kind, e.user_id, e.subject_id = auth.find_user(%s) from audit.entries e "
                   "where e.kind like 'operator%%' order by e.n", ANN)
    assert told == [("operator_added", None, True), ("operator_removed", None, True)]


def test_c58_only_a_user_can_be_named(ann):
    for what in ("add", "remove"):
        done = ann.run("admin", what, "bob@example.com")
        assert done.returncode == 1 and b"there is no user bob@example.com" in done.stderr
        assert ann.run("admin", what).returncode == 64
        assert "Example: tollgate admin" in ann.ok("admin", what, "--help")


def test_c58_an_operator_who_has_never_signed_in_is_kept(ann):
    ann.ok("admin", "add", ANN)
    ann.ask("delete from app.members")
    ann.ask("select auth.drop_unused(auth.find_user(%s), '-infinity')", ANN)
    assert len(ann.json("admin", "list")) == 1
