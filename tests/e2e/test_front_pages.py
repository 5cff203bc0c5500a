"""What the web server refuses by itself, in our words: too large a body, too many forms, a program that is away."""
import shutil
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from client import exchange
from journey import wait_until

STATUSES = (413, 429, 500, 503)
WORDS = {
    413: ("That was too much", "Das war zu viel"), 429: ("Too many requests", "Zu viele Anfragen"),
    503: ("We will be right back", "Wir sind gleich wieder da"),
}
ASKED = [("", None, 0), ("", "de", 1), ("", "de-AT, en;q=0.5", 1), ("", "fr, en;q=0.8, de;q=0.2", 0), ("", "fr", 0),
         ("/de", "en", 1), ("/en", "de", 0), ("/de", None, 1)]


def ask(stack, path, language, body=b"", **headers):
    more = {"Accept-Language": language} if language else {}
    more["Content-Type"] = "application/x-www-form-urlencoded"
    return exchange("POST", stack["url"] + path, {**more, **headers}, body)


def check(page, status, which, language):
    assert page.status == status
    assert page.html.one("h1").text == WORDS[status][which] and page.html.one("html").get("lang") == ("en", "de")[which]
    assert page.html.one("title").text == WORDS[status][which] + " · Tollgate"
    assert page.header("Content-Type") == "text/html; charset=utf-8"
    assert page.header("Cache-Control") == "no-store" and page.header("X-Content-Type-Options") == "nosniff"
    assert (page.header("Retry-After") is not None) == (status != 413)
    assert page.html.one("a", **{"class": "button"}).get("href") == ("/en/", "/de/")[which]
    assert page.html.one("footer").all("a")[-1].get("href") == ("/en/status", "/de/status")[which]


@pytest.mark.parametrize("accept", ["application/json", "image/png", "*/*;q=0"])
def test_f08_it_is_refused_so_whatever_the_client_would_rather_have(stack, accept):
    check(ask(stack, "/signup", "de", b"a" * 1_500_000, Accept=accept), 413, 1, "de")


@pytest.mark.parametrize("prefix, language, which", ASKED)
def test_f08_what_is_larger_than_anything_we_take_is_refused_in_our_words(stack, prefix, language, which):
    check(ask(stack, prefix + "/signup", language, b"a" * 1_500_000), 413, which, language)


@pytest.mark.only("nginx")
@pytest.mark.parametrize("prefix, language, which", ASKED[:6])
def test_d24_too_many_forms_are_refused_in_our_words(stack, prefix, language, which):
    """The stack counts the clients that say this header."""
    mine = {"X-Unlimited": f"words{prefix}{language}"}
    for _ in range(40):
        page = ask(stack, prefix + "/signup", language, b"a", **mine)
        if page.status == 429:
            break
    check(page, 429, which, language)


@pytest.mark.only("nginx")
def test_f115_while_no_program_is_there_nginx_says_so_in_our_words(stack):
    there = Path(stack["sockets"]["signup"])
    there.rename(there.with_suffix(".away"))
    try:
        for prefix, language, which in ASKED:
            check(ask(stack, prefix + "/signup", language), 503, which, language)
        head = exchange("HEAD", stack["url"] + "/de/signup", {})
        assert (head.status, head.body, head.header("Retry-After")) == (503, b"", "5")
        assert exchange("GET", stack["url"] + "/tollgate-pages/en/503.html", {}).status == 404
    finally:
        there.with_suffix(".away").rename(there)
    assert exchange("GET", stack["url"] + "/signup", {}).status == 200


def check_json(page, status, code):
    assert (page.status, page.header("Content-Type"), page.json["code"]) == (status, "application/json", code)
    assert page.json["error"] and page.header("Cache-Control") == "no-store"
    assert page.header("Retry-After") == (None if status == 413 else "5")


@pytest.mark.only("nginx")
def test_s09_too_many_connections_of_a_program_are_refused_as_json(stack):
    """A hundred requests of one address whose bodies do not come; the next is told when to come again. More are sent,
    because who was there before them may leave afterwards."""
    head = ("POST /api/usage/record HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
            "Content-Length: 10\r\n\r\n" % urlsplit(stack["url"]).netloc).encode()
    with ExitStack() as kept:
        for _ in range(130):
            waits = kept.enter_context(socket.create_connection(("localhost", urlsplit(stack["url"]).port)))
            waits.sendall(head)
        page = wait_until(lambda: (p := exchange("POST", stack["url"] + "/api/usage/record", {
            "Content-Type": "application/json"}, b"{}")).status == 429 and p)
        check_json(page, 429, "limit")
        check(ask(stack, "/de/signup", "en", b"a"), 429, 1, "de")
    wait_until(lambda: exchange("POST", stack["url"] + "/api/usage/record", {
        "Content-Type": "application/json"}, b"{}").status == 401)


@pytest.mark.only("nginx")
def test_f115_while_no_program_is_there_nginx_tells_programs_so_as_json(stack):
    there = Path(stack["sockets"]["usage"])
    there.rename(there.with_suffix(".away"))
    try:
        check_json(exchange("GET", stack["url"] + "/api/usage", {"Accept": "text/html"}), 503, "unavailable")
    finally:
        there.with_suffix(".away").rename(there)
    assert exchange("GET", stack["url"] + "/api/usage", {}).status == 401


@pytest.mark.only("nginx")
def test_f08_what_is_larger_than_anything_we_take_is_refused_as_json_to_programs(stack):
    check_json(ask(stack, "/api/usage/record", None, b"a" * 1_500_000), 413, "too_large")


def tollgate_pages(stack, config, directory):
    return subprocess.run([f"{stack['prefix']}/bin/tollgate", "pages", "--config", config, directory],
                          capture_output=True, text=True)


@pytest.mark.only("nginx")
def test_c59_tollgate_pages_writes_them_with_the_operators_own_texts_and_style(stack, tmp_path):
    own = tmp_path / "own"
    (own / "languages/de").mkdir(parents=True)
    (own / "languages/de/common.json").write_text('{"advice_limit": "Nur die Ruhe."}')
    (own / "style.css").write_text("body { color: teal }")
    config = tmp_path / "tollgate.conf"
    text = Path(stack["config"]).read_text()
    assert f'own_pages = "{Path(stack["config"]).parent}/pages";' in text
    config.write_text(text.replace(f'own_pages = "{Path(stack["config"]).parent}/pages";', f'own_pages = "{own}";'))
    for _ in range(2):
        assert tollgate_pages(stack, config, tmp_path / "out").returncode == 0
    assert sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*.*")) == sorted([
        *(f"{language}/{status}.html" for language in ("de", "en") for status in STATUSES),
        *(f"{status}.var" for status in STATUSES), "apache.conf", "languages.map"])
    page = (tmp_path / "out/de/429.html").read_text()
    assert "Nur die Ruhe." in page and "<style>body { color: teal }</style>" in page and "style.css" not in page
    assert "Nur die Ruhe." not in (tmp_path / "out/en/429.html").read_text()
    assert (tmp_path / "out/de/429.html").stat().st_mode & 0o777 == 0o644


@pytest.mark.only("nginx")
def test_c01_tollgate_pages_tells_both_web_servers_the_languages_there_are(stack, tmp_path):
    """An operator who adds one has nothing to edit in their files."""
    own, config = tmp_path / "own", tmp_path / "tollgate.conf"
    shutil.copytree(Path(stack["prefix"]) / "share/tollgate/pages/languages/de", own / "languages/gd")
    text = Path(stack["config"]).read_text()
    for there, here in ((f'own_pages = "{Path(stack["config"]).parent}/pages";', f'own_pages = "{own}";'),
                        ('languages = ["en", "de"];', 'languages = ["de", "gd", "en"];')):
        assert there in text
        text = text.replace(there, here)
    config.write_text(text)
    done = tollgate_pages(stack, config, tmp_path / "out")
    assert done.returncode == 0, done.stderr
    known = (tmp_path / "out/languages.map").read_text()
    assert "default de;" in known and "(?<named>de|gd|en)" in known and "(?<asked>de|gd|en)" in known
    assert "LanguagePriority de gd en\n" in (tmp_path / "out/apache.conf").read_text()
    assert "Content-language: gd\n" in (tmp_path / "out/503.var").read_text()
    assert 'lang="gd"' in (tmp_path / "out/gd/503.html").read_text()


@pytest.mark.only("nginx")
def test_c59_tollgate_pages_says_where_it_cannot_write(stack):
    done = tollgate_pages(stack, stack["config"], "/nowhere/at/all")
    assert done.returncode == 73 and "/nowhere/at/all: No such file or directory" in done.stderr
