"""The threat model in lib/README.md: every program is in it, and every claim names tests that are there."""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tables(readme):
    """The rows of each table of the threat model, as lists of cells."""
    section = re.search(r"^## Threat model\n(.*?)^## ", readme, re.M | re.S)[1]
    found = re.findall(r"(?:^\|.*\n)+", section, re.M)
    return [[[cell.strip() for cell in row.strip("|").split("|")] for row in table.splitlines()[2:]] for table in found]


def known_tests(root):
    """What a claim may name: functions of tests, and files of them by their path below tests/."""
    files = [path for path in root.glob("tests/*/*") if path.suffix in (".py", ".c", ".sql")]
    named = {name for path in files if path.suffix != ".sql"
             for name in re.findall(r"^(?:def )?(test_\w+)\(", path.read_text(), re.M)}
    return named | {str(path.relative_to(root / "tests")) for path in files}


def unproved(claims, known):
    """Claims that name no test, or one that is not there."""
    return [claim for claim, tests in claims
            if not re.fullmatch(r"(`[^`]+`\s*)+", tests) or set(re.findall(r"`([^`]+)`", tests)) - known]


def test_every_claim_names_tests_that_are_there():
    _, claims = tables((ROOT / "lib/README.md").read_text())
    assert len(claims) > 15 and unproved(claims, known_tests(ROOT)) == []


def test_every_program_is_trusted_with_something():
    trusted, _ = tables((ROOT / "lib/README.md").read_text())
    programs = {path.parent.name for path in ROOT.glob("workers/*/main.c")}
    assert programs <= {row[0].strip("`") for row in trusted}


def test_every_role_of_a_program_is_attacked():
    _, claims = tables((ROOT / "lib/README.md").read_text())
    named = {name for _, tests in claims for name in re.findall(r"`security/(tollgate_\w+)\.sql`", tests)}
    assert named == {path.stem for path in ROOT.glob("tests/security/tollgate_*.sql")} != set()


@pytest.mark.parametrize("tests", ["", "`test_that_is_not_there`", "`unit/test_nothing.c`", "by review",
                                   "`schema/test_matrix.sql` `test_gone`"])
def test_a_claim_without_a_test_is_seen(tests):
    assert unproved([["a claim", tests], ["another", "`schema/test_matrix.sql`"]], known_tests(ROOT)) == ["a claim"]
