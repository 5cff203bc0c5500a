"""What the audit log can tell has a text in every language."""
import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def kinds():
    """Those that the migrations insert, and those that functions name."""
    inserted = {kind for path in (ROOT / "schema/migrations").glob("*.sql")
                for rows in re.findall(r"insert into audit\.kinds \(kind\) values(.*?);", path.read_text(), re.S)
                for kind in re.findall(r"'(\w+)'", rows)}
    named = {kind for path in (ROOT / "schema/functions").glob("*/*.sql")
             for kind in re.findall(r"audit\.note\('(\w+)'", path.read_text())}
    return inserted, named


def test_f222_each_kind_of_the_log_has_a_text_in_each_language():
    inserted, named = kinds()
    assert named <= inserted and len(named) > 5
    for path in (ROOT / "workers/pages/languages").glob("*/account.json"):
        assert {f"audit_{kind}" for kind in inserted} <= set(json.loads(path.read_text())), path


def test_f222_each_kind_of_the_log_is_written_somewhere():
    """Sessions that are ended together are told one by one."""
    written = "".join(path.read_text() for path in (ROOT / "schema/functions").glob("*/*.sql"))
    assert {kind for kind in kinds()[0] if f"'{kind}'" not in written} == {"sessions_ended"}
