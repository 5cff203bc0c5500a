"""Each route of a program is in the README's table of programs, and both web servers hand it to that program, also
where a server of one's own includes our part of their file.
"""
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROW = re.compile(r'^\t(?:PUBLIC\(|(?:VISITOR|(?:LARGE_|FRESH_)?(?:USER|API)|FRESH|KEY|SECRET|RAW)\("[A-Z]+",\s*'
                 r'|\{ "(?:GET|POST)", )"([^"]+)"', re.M)

OWN = {"/", "/favicon.ico"}     # a server that is there already has its own


def routes():
    """[(program, path)] of all tables of routes; a parameter is a word."""
    found = {(path.parent.name, re.sub(r":\w+\(\w+\)", "word", route))
             for path in (ROOT / "workers").glob("*/*.c") for route in ROW.findall(path.read_text())}
    return sorted(found)


def said():
    """{program: the paths of its row}; "/x…" is /x and what is below it."""
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| `tollgate_|^\| `(og)` \| (.*?) \| no database",
                      (ROOT / "README.md").read_text(), re.M)
    return {a or c: re.findall(r"`(/[^`]*)`", b or d) for a, b, c, d in rows}


def covers(entry, path):
    return path == entry or entry.endswith("…") and (path + "/").startswith(entry[:-1].rstrip("/") + "/")


def part(name, whole):
    """What `make install` lays for a server that is there already, as one text."""
    return "".join(re.findall(r"#> %s\n(.*?)#<" % name, (ROOT / "conf" / whole).read_text(), re.S))


def nginx_program(path):
    table = re.search(r"map \$uri \$worker \{(.*?)\n\t\}", (ROOT / "conf/nginx.conf").read_text(), re.S).group(1)
    rows = re.findall(r"^\t\t(\S+)\s+(\w+);", table, re.M)
    exact = [program for key, program in rows if key == path]
    fits = [program for key, program in rows if key[0] == "~" and re.search(key[1:], path)]
    return [*exact, *fits, dict(rows)["default"]][0]


def nginx_passes(path):
    """Whether the part for a server block has a location for it: the whole file has one for all the rest."""
    rows = re.findall(r"^\t\tlocation (=|~) (\S+) \{", part("snippets/tollgate.conf", "nginx.conf"), re.M)
    return [key for kind, key in rows if (path == key if kind == "=" else re.search(key, path))] != []


def apache_program(path):
    rows = re.findall(r'AliasMatch "(\S+)" "\$\{LIBEXEC\}/(\w+)"', part("tollgate.conf", "apache.conf"))
    return [*[program for pattern, program in rows if re.search(pattern, path)], None][0]


def test_every_kind_of_row_is_seen():
    assert {"/api/og", "/signup", "/workspace", "/api/billing/plan", "/api/usage",
            "/webhooks/stripe"} <= {p for _, p in routes()}


@pytest.mark.parametrize("program, path", routes())
def test_a_route_is_in_the_readmes_table(program, path):
    assert [entry for entry in said()[program] if covers(entry, path)]


@pytest.mark.parametrize("program, entry", [(program, entry) for program, all in said().items() for entry in all])
def test_a_path_in_the_readmes_table_is_a_route(program, entry):
    assert [path for owner, path in routes() if owner == program and covers(entry, path)]


@pytest.mark.parametrize("program, path", routes())
def test_both_web_servers_hand_a_route_to_its_program(program, path):
    languages = ("",) if path.startswith("/api/") or "webhooks" in path or "." in path else ("", "/de")
    for prefix in languages:
        assert nginx_program(prefix + path) == program
        assert path in OWN or (nginx_passes(prefix + path), apache_program(prefix + path)) == (True, program)


def test_who_signs_in_or_proves_it_again_comes_back_to_each_page_of_users():
    """lib/app/target.c lists them; a page that is left out would lead to the workspace."""
    pages = {path for file in (ROOT / "workers").glob("*/*.c")
             for path in re.findall(r'^\t(?:USER|FRESH)\("GET",\s*"([^":]+)"', file.read_text(), re.M)}
    listed = re.search(r"targets\[\] = \{(.*?)\}", (ROOT / "lib/app/target.c").read_text(), re.S)[1]
    assert pages - {"/signin/confirm", "/signout"} == set(re.findall(r'"([^"]+)"', listed))
