"""Bad requests, as a web server passes them on: methods, headers, bodies, paths, origins."""
import base64
import hashlib
import hmac
import re
from pathlib import Path

import pytest
from client import Raw, raw
from journey import become_customer, new_address, session_in, sign_in, sign_up, wait_until

SID, FLOW = "__Host-sid", "__Host-flow"
HTML_PAGES = ["/signup", "/signin", "/signin/code", "/register", "/reset", "/reset/link",
              "/welcome?session_id=cs_test_none", "/signin/link?t=" + "A" * 43]
PRIVATE_PAGES = ["/workspace", "/settings/billing", "/signout"]
OTHERS = ["/", "/login", "/dashboard", "/style.css", "/nothing-here"]


@pytest.fixture
def ask(stack):
    """One request as written: header lines, body, method; GET /signup when only headers are given."""
    def send(*lines, body=b"", method="GET", path="/signup"):
        return raw(stack["url"], [f"{method} {path} HTTP/1.1", *lines], body, method)
    return send


def tenants(db):
    return db.value("select count(*) from app.tenants")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path, allow", [("/signup", "GET, HEAD, POST"), ("/workspace", "GET, HEAD"),
                                         ("/settings/billing", "GET, HEAD, POST"), ("/api/billing/session", "POST")])
def test_f01_a_method_that_is_not_for_this_page(browser, method, path, allow):
    page = browser.request(method, path)
    assert page.status == 405
    assert page.header("Allow") == allow


@pytest.mark.parametrize("method", ["BREW", "PROPFIND", "GETX", "PURGE"])
def test_f01_a_method_that_is_none(ask, method):
    page = ask("X-Secret: do-not-echo", "Accept-Language: de", method=method)
    assert page.status == 501 and page.header("Allow") is None
    assert b"do-not-echo" not in page.body and "Diese Art von Anfrage kennen wir nicht" in page.text


def test_f01_no_method_leads_to_what_is_the_machines(ask):
    for method in ("GET", "HEAD", "POST", "TRACE", "BREW"):
        assert ask(method=method, path="/healthz").status in (404, 405, 501)


@pytest.mark.parametrize("method", ["get", "Post", "G@T"])
def test_f01_a_method_that_is_not_in_capitals(ask, method):
    """nginx itself answers 400."""
    page = ask("X-Secret: do-not-echo", method=method)
    assert page.status in (400, 501)
    assert b"do-not-echo" not in page.body


@pytest.mark.parametrize("path, allow", [("/signup", "GET, HEAD, POST"), ("/de/workspace", "GET, HEAD"),
                                         ("/style.css", "GET, HEAD"), ("/webhooks/stripe", "POST")])
def test_f01_trace_is_known_and_no_target_has_it(ask, path, allow):
    """Both web servers refuse it by themselves, and leave the words to the target's program."""
    page = ask("X-Secret: do-not-echo", "Accept-Language: de", method="TRACE", path=path)
    assert page.status == 405 and page.header("Allow") == allow
    assert b"do-not-echo" not in page.body
    assert ("nicht benutzen" if path != "/webhooks/stripe" else '"code":"method"') in page.text


@pytest.mark.parametrize("twice", ["Host: {host}", "Content-Length: 0", "Origin: {url}", "Sec-Fetch-Site: same-origin",
                                   "Authorization: Bearer a"])
def test_f03_a_header_that_decides_something_twice(ask, stack, twice):
    line = twice.format(url=stack["url"], host=stack["url"].split("//")[1])
    page = ask(line, line, method="POST" if "Origin" in line or "Sec-" in line else "GET")
    # Apache joins the two with ", ": Authorization, which we do not read, then counts as one.
    assert page.status in ((400, 403) if stack["server"] == "apache" else (400,)) or \
        (stack["server"] == "apache" and "Authorization" in twice and page.status == 200)


@pytest.mark.parametrize("line", [b"X-Bad: a\0b", b"Bad Name: x", b"X-Bad\x01: x", b"X-Bad: a\x01b", b"X=Y: z",
                                  b": empty"])
def test_f04_a_header_with_a_control_character_or_no_name(ask, line):
    """Never a 500 and never a session: refused by the web server or by us, or dropped by the web server."""
    page = ask(line)
    assert page.status in (200, 400)
    if b"\0" in line:
        assert page.status == 400


def test_f05_a_proxy_of_the_clients_is_not_used(new_browser, sim, fresh):
    """The proxy's port is closed: using it would make Stripe unreachable."""
    browser = new_browser(Proxy="http://127.0.0.1:9")
    assert session_in(sign_up(browser, fresh()))


def test_f06_where_it_came_from_is_not_for_the_client_to_say(new_browser, db, stack, fresh):
    browser = new_browser(X_Forwarded_For="203.0.113.9", X_Real_IP="203.0.113.9", X_Forwarded_Host="evil.example",
                          X_Forwarded_Proto="https", Forwarded="for=203.0.113.9;host=evil.example;proto=https")
    browser.more = {k.replace("_", "-"): v for k, v in browser.more.items()}
    email = fresh()
    page = browser.submit(browser.get("/signin"), {"email": email})
    assert page.status == 303
    assert str(db.value("select ip from auth.requests where email_canonical = %s", email)) in (
        "127.0.0.1", "127.0.0.1/32", "::1")
    assert "evil" not in browser.get("/signup").text


@pytest.mark.parametrize("length", ["-1", "+5", "5x", "0x5", "9223372036854775808", "18446744073709551616", "5, 5"])
def test_f07_a_length_that_is_none(ask, length):
    page = ask(f"Content-Length: {length}", "Content-Type: application/x-www-form-urlencoded", body=b"a=b&c",
               method="POST")
    # More than either server takes is 413; what is no number is 400, and Apache reads " 5" as 5.
    assert page.status in (400, 413)


def test_f07_a_body_that_ends_too_soon_is_not_acted_upon(stack, browser, db):
    email = new_address("cut")
    csrf = browser.get("/signup").form().fields["csrf"]
    body = f"csrf={csrf}&email={email.replace('@', '%40')}&plan=starter".encode()
    before = tenants(db)
    with Raw(stack["url"]) as r:
        r.send("\r\n".join(["POST /signup HTTP/1.1", f"Host: {r.host}", f"Origin: {stack['url']}",
                            f"Cookie: {FLOW}={browser.cookie(FLOW)}", "Content-Type: application/x-www-form-urlencoded",
                            f"Content-Length: {len(body) + 10}", "", ""]).encode() + body)
        r.socket.shutdown(1)
        # mod_fcgid answers a client that left with a 500 of its own.
        assert r.answer("POST").status in ((0, 400, 500) if stack["server"] == "apache" else (0, 400))
    assert tenants(db) == before and db.drafts_of(email) == []


@pytest.mark.parametrize("path", ["/signup", "/signin", "/signin/code", "/settings/billing"])
def test_f08_a_form_over_16_kib(customer, browser, path):
    agent = customer[0]
    body = b"csrf=x&email=" + b"a" * 16384
    page = agent.post(path, body)
    assert page.status == 413
    assert page.html.one("h1").text == "That was too much"
    assert agent.post(path, body[:16384]).status != 413


@pytest.mark.parametrize("size", [200_000, 1_500_000])
def test_f08_a_huge_form(browser, size):
    """Over what any route takes, the web server refuses by itself."""
    assert browser.post("/signup", b"a" * size).status == 413


def test_f08_after_a_413_the_next_request_is_answered(browser):
    for _ in range(3):
        assert browser.post("/signup", b"a" * 100_000).status == 413
        assert browser.get("/signup").status == 200


def test_f09_a_chunked_form_is_a_form(stack, browser, db, fresh):
    email = fresh()
    csrf = browser.get("/signup").form().fields["csrf"]
    body = f"csrf={csrf}&email={email.replace('@', '%40')}&plan=starter".encode()
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in (body[:9], body[9:])) + b"0\r\n\r\n"
    page = raw(stack["url"], ["POST /signup HTTP/1.1", f"Origin: {stack['url']}",
                              f"Cookie: {FLOW}={browser.cookie(FLOW)}",
                              "Content-Type: application/x-www-form-urlencoded", "Transfer-Encoding: chunked"],
               chunks, "POST")
    assert page.status == 303
    assert len(db.drafts_of(email)) == 1


def test_f09_a_bad_chunk_is_not_acted_upon(stack, browser, db):
    before = tenants(db)
    page = raw(stack["url"], ["POST /signup HTTP/1.1", f"Origin: {stack['url']}", "Transfer-Encoding: chunked",
                              "Content-Type: application/x-www-form-urlencoded"], b"zz\r\nabc\r\n0\r\n\r\n", "POST")
    # mod_fcgid passes on the part that it has read, and that form is refused.
    assert page.status in ((403, 422) if stack["server"] == "apache" else (0, 400))
    assert tenants(db) == before


def test_f09_length_and_chunks_together_do_not_smuggle(stack):
    """The rest of the body must not be answered as a second request."""
    with Raw(stack["url"]) as r:
        r.send((f"POST /signup HTTP/1.1\r\nHost: {r.host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                f"0\r\n\r\nGET /workspace HTTP/1.1\r\nHost: {r.host}\r\nX-Smuggled: 1\r\n\r\n").encode())
        assert r.answer("POST").status in (400, 403, 415)


def test_f10_more_headers_than_we_take(ask):
    page = ask(*[f"X-H{n}: {'v' * 40}" for n in range(300)])
    assert page.status in (400, 431)


@pytest.mark.parametrize("size", [7_000, 30_000, 70_000, 200_000])
def test_f10_a_large_cookie(ask, size):
    """Answered by us when the web server accepts its size, else 400 by the web server."""
    page = ask("Cookie: a=" + "b" * size)
    assert page.status == 200 if size < 8_000 else page.status in (400, 431, 500)
    assert b"bbbb" not in page.body

PATHS = [("/%00", 400), ("/signup%00", 400), ("/signup%2F", 404), ("/%2Fsignup", 404), ("/a/../signup", 404),
         ("/../signup", 404), ("/%2e%2e/signup", 404), ("//signup", 404), ("/signup//", 404), ("/signup/", 404),
         ("/sign%5cup", 404), ("/%c0%afsignup", 400), ("/%ff", 400), ("/signup%", 400), ("/signup%zz", 400),
         ("/signup%0d%0aX-Evil:1", 400), ("/SIGNUP", 404), ("/signup.php", 404), ("/signup;x=1", 404),
         ("/./signup", 404), ("/etc/passwd", 404), ("/pages/signup.mustache", 404), ("/" + "a" * 2000, 404),
         ("/healthz", 404)]


@pytest.mark.parametrize("path, status", PATHS)
def test_f11_a_path_that_is_none_of_ours(ask, path, status):
    page = ask(path=path)
    # Both servers refuse some by themselves; nginx and Apache resolve "/a/../signup" for their own map only.
    assert page.status in (status, 400, 404)
    assert page.header("X-Evil") is None
    assert b"root:" not in page.body


def test_f11_a_path_is_decoded_once(ask):
    assert ask(path="/%73ignup").status == 200
    assert ask(path="/%2573ignup").status == 404


@pytest.mark.parametrize("path", [b"/signup\xff", b"/sign\xc3\xbcp", b"/signup\\", b"/<script>"])
def test_f11_raw_bytes_in_a_path(stack, path):
    page = raw(stack["url"], [b"GET " + path + b" HTTP/1.1"])
    assert page.status in (400, 404)
    assert b"<script>" not in page.body


def test_f11_nine_kilobytes_of_path(ask):
    assert ask(path="/" + "a" * 9000).status in (400, 404, 414)


OTHERS_QUERIES = [b"&".join(b"k%d=1" % n for n in range(1000)), b"utm_campaign=save50%off", b"a=1&a=2", b"%E9=%E9",
                  b"&".join(b"a%d=%%" % n for n in range(70)), b"%", b"a=%zz", b"a=%00", b"a=%ff", b"flag", b"a=&b",
                  b"&&", b"utm_source=x&utm_medium=y", b"q=f\xfcr", b"?t=%&next2=%"]


@pytest.mark.parametrize("query", OTHERS_QUERIES)
@pytest.mark.parametrize("path", [b"/signup", b"/signin", b"/de/signup", b"/signin/code"])
def test_f12_a_parameter_that_is_not_ours_never_matters(stack, path, query):
    assert raw(stack["url"], [b"GET " + path + b"?" + query + b" HTTP/1.1"]).status == 200


@pytest.mark.parametrize("query", OTHERS_QUERIES)
def test_f12_a_parameter_that_is_not_ours_matters_on_no_private_page(stack, customer, query):
    cookie = f"Cookie: {SID}={customer[0].cookie(SID)}".encode()
    for path in (b"/workspace", b"/settings/billing", b"/signout"):
        assert raw(stack["url"], [b"GET " + path + b"?" + query + b" HTTP/1.1", cookie]).status == 200
    page = raw(stack["url"], [b"GET /?" + query + b" HTTP/1.1", cookie])
    assert (page.status, page.location) == (303, "/workspace")


@pytest.mark.parametrize("path", ["/signin?next=/a&next=/b", "/signin?a=%&next=%zz", "/signin?next=%00",
                                  "/signin?next=%ff", "/welcome?session_id=cs_1&%73ession_id=cs_2",
                                  "/signin/link?t=%", "/signup/continue?t&t"])
def test_f12_a_parameter_that_the_page_reads_is_malformed_or_given_twice(ask, path):
    assert ask(path=path).status == 400


@pytest.mark.parametrize("kind", [None, "", "text/plain", "multipart/form-data; boundary=x", "application/json",
                                  "application/x-www-form-urlencoded; charset=utf-16",
                                  "application/x-www-form-urlencoded; a=b",
                                  "application/x-www-form-urlencoded, text/plain",
                                  "application/x-www-form-urlencodedx"])
def test_f13_a_form_of_another_kind(browser, db, fresh, kind):
    form = browser.get("/signup").form().fields
    before = tenants(db)
    page = browser.post("/signup", {**form, "email": fresh(), "plan": "starter"}, Content_Type=kind)
    assert page.status == 415
    assert tenants(db) == before


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded; charset=utf-8",
                                  "application/x-www-form-urlencoded;charset=UTF-8",
                                  "Application/X-WWW-Form-Urlencoded"])
def test_f13_other_spellings_of_the_right_kind(browser, fresh, kind):
    form = browser.get("/signup").form().fields
    assert browser.post("/signup", {**form, "email": fresh(), "plan": "starter"}, Content_Type=kind).status == 303


@pytest.mark.parametrize("host", ["evil.example", "localhost.evil.example", "localhost:1", "localhost", "l",
                                  "127.0.0.1", "", "localhost@evil.example"])
def test_f16_a_host_that_is_not_ours(ask, host):
    page = ask(f"Host: {host}")
    assert page.status in (400, 421)
    assert page.status == 421 or host in ("", "localhost@evil.example")
    assert b"evil" not in page.body


def test_f16_a_target_in_absolute_form(ask, stack):
    host = stack["url"].split("//")[1]
    for target in (f"http://{host}/signup", f"HTTP://{host}/signup?utm_source=%", f"https://{host}/de/signup"):
        page = ask(path=target)
        assert page.status == 200 and "evil" not in page.text
    assert ask(path=f"http://{host}").status == 303


def test_f16_the_host_of_a_target_in_absolute_form_is_what_counts(ask, stack):
    """nginx hands on the path alone, so that Host decides."""
    host = stack["url"].split("//")[1]
    statuses = [ask("Host: evil.example", path=f"http://{host}/signup").status,
                ask(path="http://evil.example/signup").status]
    assert statuses == ([200, 421] if stack["server"] == "apache" else [421, 200])


def test_f16_http_1_0_without_a_host(stack):
    with Raw(stack["url"]) as r:
        r.send(b"GET /signup HTTP/1.0\r\n\r\n")
        assert r.answer().status in (400, 421)


def test_f16_links_in_mails_name_the_configured_site(browser, mail, db, sim, stack, customer):
    _, email = customer
    wait_until(lambda: len(mail.to(email)) == 2)
    for found in mail.to(email):
        assert set(re.findall(r"https?://[^/\s\"<]+", found["text"])) == {stack["url"]}


def without_secrets(page):
    """The headers without random values and without those of the body's transfer (Apache sends "Vary: Accept-Encoding"
    with a compressible body only)."""
    return sorted((k, v.split("=")[0] if k == "Set-Cookie" else v) for k, v in page.headers
                  if k not in ("Date", "Content-Length", "Connection", "Keep-Alive", "ETag", "Transfer-Encoding")
                  and not (k == "Vary" and "Encoding" in v))


@pytest.mark.parametrize("path", HTML_PAGES + PRIVATE_PAGES + OTHERS)
def test_f17_head_is_get_without_a_body(browser, path):
    got, head = browser.get(path), browser.request("HEAD", path, came_from=None)
    assert head.status == got.status
    assert head.body == b""
    assert without_secrets(head) == without_secrets(got)


@pytest.mark.parametrize("path", PRIVATE_PAGES)
def test_f17_head_for_somebody_signed_in(customer, path):
    browser, _ = customer
    got, head = browser.get(path), browser.request("HEAD", path)
    assert (head.status, head.body) == (200, b"") and got.status == 200
    assert without_secrets(head) == without_secrets(got)


def test_f17_head_has_no_effect(customer, db):
    browser, email = customer
    tables = "select (select count(*) from auth.requests), " \
        "(select count(*) from auth.sessions where revoked_at is null), " \
        "(select count(*) from app.tenants), (select count(*) from mail.outbox)"
    before = db.row(tables)
    for path in HTML_PAGES + PRIVATE_PAGES + OTHERS:
        browser.request("HEAD", path)
    assert db.row(tables) == before


@pytest.mark.parametrize("value", ["a%0d%0aX-Evil: 1", "a\r\n X-Evil: 1", "a%0aSet-Cookie: x=y"])
def test_f19_a_line_break_reaches_no_header(stack, browser, value):
    quoted = value.replace("\r", "%0d").replace("\n", "%0a").replace(" ", "%20")
    for path in (f"/signin?next=/{quoted}", f"/welcome?session_id={quoted}", f"/signin/link?t={quoted}", f"/{quoted}"):
        page = browser.get(path)
        assert page.header("X-Evil") is None
        assert not any(c.startswith("x=") for c in page.header_all("Set-Cookie"))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_f20_no_other_site_may_read(ask, method):
    page = ask("Origin: https://evil.example", "Sec-Fetch-Site: cross-site", "Sec-Fetch-Mode: cors", method=method)
    assert [k for k, _ in page.headers if k.lower().startswith("access-control-")] == []


@pytest.mark.parametrize("path", ["/signup", "/workspace", "/api/billing/session", "/webhooks/stripe"])
def test_f20_a_preflight_is_refused(ask, path):
    page = ask("Origin: https://evil.example", "Access-Control-Request-Method: POST", method="OPTIONS", path=path)
    assert page.status == 403
    assert [k for k, _ in page.headers if k.lower().startswith("access-control-")] == []


def test_f32_response_heads_stay_small(customer, new_browser, fresh):
    """The longest: two cookies and the policy, with every page."""
    agent, _ = customer
    agent.set_cookie(FLOW, "x")
    pages = [agent.get(p) for p in HTML_PAGES + PRIVATE_PAGES + OTHERS] + [sign_up(new_browser(), fresh())]
    for page in pages:
        assert sum(len(k) + len(v) + 4 for k, v in page.headers) < 3584, page
        assert max(len(v) for _, v in page.headers) < 1024


def test_f33_every_redirect_has_its_status_and_a_path_of_ours(browser, stack):
    for path in PRIVATE_PAGES + ["/", "/login", "/dashboard"]:
        page = browser.get(path)
        assert page.status == 303
        assert re.fullmatch(r"/[A-Za-z0-9/?=_-]*", page.location)

HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "strict-origin",
           "Cross-Origin-Opener-Policy": "same-origin", "Cross-Origin-Resource-Policy": "same-origin",
           "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
           "Cache-Control": "no-store", "Vary": "Accept, Accept-Language, Cookie"}

POLICY = {"default-src": "'none'", "style-src": "'self'", "img-src": "'self'", "base-uri": "'none'",
          "frame-ancestors": "'none'"}


@pytest.mark.parametrize("path, accept", [*((path, "text/html") for path in [*HTML_PAGES, "/nothing-here"]),
                                          ("/nothing-here", "application/json"), ("/workspace", "application/json")])
def test_every_page_has_the_security_headers(browser, path, accept):
    page = browser.get(path, Accept=accept)
    # Apache takes the spaces out of Vary.
    assert {name: page.header(name) for name in HEADERS} == {**HEADERS, **(
        {"Vary": HEADERS["Vary"].replace(" ", "")} if page.header("Server") == "Apache" else {})}
    policy = dict(part.strip().partition(" ")[::2] for part in page.header("Content-Security-Policy").split(";"))
    form_action = policy.pop("form-action").split()
    assert policy == {**POLICY, **({"script-src": "'self'"} if path == "/signin" else {})}
    assert form_action[0] == "'self'" and all(re.fullmatch(r"https?://[a-z0-9.:]+", at) for at in form_action[1:])
    assert len(set(form_action)) == len(form_action)
    assert (len(form_action) > 1) == (path in HTML_PAGES), "to Stripe, or to an account elsewhere"
    assert page.header("Server") in ("nginx", "Apache")
    assert page.header("X-Powered-By") is None


def test_pages_hold_nothing_the_policy_forbids(customer):
    for path in HTML_PAGES + PRIVATE_PAGES:
        html = customer[0].get(path).html
        assert all(e.text == "" and re.fullmatch(r"/passkey\.js\?v=[0-9a-f]{12}", e.get("src"))
                   for e in html.all("script"))
        assert html.all("style") == []
        assert [e for e in html.walk() if any(a.startswith("on") or a == "style" for a in e.attributes)] == []


def test_the_style_sheet_is_cached_and_named_by_its_content(browser):
    href = browser.get("/signup").html.one("link", rel="stylesheet").get("href")
    page = browser.get(href)
    assert page.status == 200 and page.header("Content-Type") == "text/css; charset=utf-8"
    assert page.header("Cache-Control") == "public, max-age=31536000, immutable"
    assert page.header("X-Content-Type-Options") == "nosniff"
    assert page.header("Set-Cookie") is None
    assert re.fullmatch(r"/style\.css\?v=[0-9a-f]{8,64}", href)


@pytest.mark.parametrize("query", ["", "?", "?v=", "?v=0123456789ab", "?w={v}", "?v={v}0", "?v={v}&v={v}"])
def test_f45_under_another_version_the_style_sheet_is_kept_by_no_cache(browser, query):
    """As when a page of a new program asks one that is not restarted yet."""
    own = browser.get("/signup").html.one("link", rel="stylesheet").get("href").split("v=")[1]
    page = browser.get("/style.css" + query.format(v=own))
    assert (page.status, page.header("Cache-Control")) in ((200, "no-cache"), (400, "no-store"))
    assert (page.status == 400) == query.endswith("&v={v}")
    assert "immutable" in browser.get(f"/style.css?utm_source=%&v={own}").header("Cache-Control")

CROSS = [
    ("no token", {"csrf": None}, {}),
    ("an empty token", {"csrf": ""}, {}),
    ("another browser's token", {"csrf": "OTHER"}, {}),
    ("origin null", {}, {"Origin": "null"}),
    ("another origin", {}, {"Origin": "https://evil.example"}),
    ("another port", {}, {"Origin": "http://localhost:1"}),
    ("https for http", {}, {"Origin": "https://localhost"}),
    ("a part of our origin", {}, {"Origin": "http://localhost"}),
    ("our origin and more", {}, {"Origin": "{url}0"}),
    ("an empty origin", {}, {"Origin": ""}),
    ("cross-site", {}, {"Sec_Fetch_Site": "cross-site"}),
    ("same-site", {}, {"Sec_Fetch_Site": "same-site"}),
    ("none", {}, {"Sec_Fetch_Site": "none"}),
    ("a word", {}, {"Sec_Fetch_Site": "perhaps"}),
    ("neither", {}, {"Origin": None, "Sec_Fetch_Site": None}),
    ("no cookie", {}, {"Cookie": None}),
]


@pytest.mark.parametrize("what, fields, headers", CROSS, ids=[c[0] for c in CROSS])
@pytest.mark.parametrize("path", ["/signup", "/signin", "/settings/billing", "/signout"])
def test_f37_a_post_that_does_not_come_from_our_page(customer, new_browser, db, sim, fresh, path, what, fields,
                                                     headers):
    browser = new_browser() if path in ("/signup", "/signin") else customer[0]
    form = browser.get(path)
    if fields.get("csrf") == "OTHER":
        fields = {"csrf": new_browser().get("/signup").form().fields["csrf"]}
    before = tenants(db), sim.changes(), db.value("select count(*) from auth.requests")
    given = {} if path in ("/settings/billing", "/signout") else {
        "email": fresh(), **({"plan": "starter"} if path == "/signup" else {})}
    hidden = form.form(path if path == "/settings/billing" else None).fields
    sent = {k: v for k, v in {**hidden, **given, **fields}.items() if v is not None}
    page = browser.post(path, sent, came_from=form, **{k.replace("_", "-"): v and v.format(url=browser.base)
                                                       for k, v in headers.items()})
    if what == "no cookie" and path in ("/settings/billing", "/signout"):
        assert page.status == 303 and page.location.startswith("/signin")
    else:
        assert page.status == 403
    assert (tenants(db), sim.changes(), db.value("select count(*) from auth.requests")) == before
    assert customer[0].get("/workspace").status == 200


@pytest.mark.parametrize("headers", [{"Origin": None}, {"Sec-Fetch-Site": None}])
def test_f37_origin_or_sec_fetch_site_is_enough(browser, fresh, headers):
    """Old browsers send only one of the two; the form token is needed too."""
    form = browser.get("/signup").form().fields
    assert browser.post("/signup", {**form, "email": fresh(), "plan": "starter"}, **headers).status == 303

API_CALLS = {   # what is sent, what changes beside the headers of a browser's own script, and the status
    "an empty object": (b"{}", {}, 200),
    "nothing": (b"", {}, 200),
    "nothing, and no type": (b"", {"Content_Type": None}, 200),
    "without Sec-Fetch-Site": (b"{}", {"Sec_Fetch_Site": None}, 200),
    "without Origin": (b"{}", {"Origin": None}, 403),
    "another site's Origin": (b"{}", {"Origin": "https://evil.example"}, 403),
    "an opaque Origin": (b"{}", {"Origin": "null"}, 403),
    "a subdomain's Origin": (b"{}", {"Sec_Fetch_Site": "same-site"}, 403),
    "cross-site": (b"{}", {"Sec_Fetch_Site": "cross-site"}, 403),
    "typed into the address bar": (b"{}", {"Sec_Fetch_Site": "none"}, 403),
    "a form": (b"a=b", {"Content_Type": "application/x-www-form-urlencoded"}, 415),
    "text": (b"{}", {"Content_Type": "text/plain"}, 415),
    "no type": (b"{}", {"Content_Type": None}, 415),
    "JSON that is none": (b"{", {}, 400),
    "a name twice": (b'{"a":1,"a":2}', {}, 400),
    "more than 16 KiB": (b'"%s"' % (b"x" * 16384), {}, 413),
}


@pytest.mark.parametrize("what", API_CALLS)
def test_f37_an_api_call_needs_no_token_but_our_own_origin(customer, sim, what):
    body, headers, status = API_CALLS[what]
    before = sim.changes()
    page = customer[0].post("/api/billing/session", body, **{"Content_Type": "application/json", **headers})
    assert page.status == status and page.header("Content-Type") == "application/json", page
    assert (sim.changes() == before) == (status != 200)


def test_f37_another_sessions_token_is_refused(customer, new_browser, sim, db, mail, fresh):
    attacker, email = new_browser(), fresh("attacker")
    become_customer(attacker, sim, db, email)
    sign_in(attacker, mail, email)
    csrf = attacker.get("/signout").form().fields["csrf"]
    assert customer[0].post("/signout", {"csrf": csrf}).status == 403
    assert customer[0].get("/workspace").status == 200


@pytest.mark.parametrize("what, code", [("another site's Origin", "forbidden"), ("text", "media"), ("JSON that is none",
                                        "bad_request"), ("more than 16 KiB", "too_large")])
def test_c59_what_is_refused_before_a_row_has_a_code(customer, what, code):
    body, headers, _ = API_CALLS[what]
    page = customer[0].post("/api/billing/session", body, **{"Content_Type": "application/json", **headers})
    assert sorted(page.json) == ["code", "error"] and page.json["code"] == code


def test_c59_errors_speak_the_askers_language_and_format(browser):
    page = browser.get("/nothing-here")
    assert page.status == 404 and page.html.one("h1").text == "There is no such page"
    assert page.html.one("code").text, "a reference for whoever asks about it"
    page = browser.get("/nothing-here", Accept_Language="de")
    assert page.html.one("html").get("lang") == "de" and page.html.one("h1").text == "Diese Seite gibt es nicht"
    page = browser.get("/nothing-here", Accept="application/json")
    assert (page.status, page.json) == (404, {"error": "Not found", "code": "not_found"})


@pytest.mark.parametrize("path", ["/signup", "/signin", "/signin/code", "/de/signin", "/welcome?session_id=cs_none"])
def test_c01_a_page_leads_to_itself_in_the_other_languages(browser, path):
    """The language of the page is named and is no link."""
    page = browser.get(path)
    code = "de" if path.startswith("/de/") else "en"
    other = {"de": "en", "en": "de"}[code]
    footer = page.html.one("footer")
    assert page.header("Content-Language") == page.html.one("html").get("lang") == code
    assert footer.one("span", **{"aria-current": "true"}).text == {"en": "English", "de": "Deutsch"}[code]
    link = footer.one("a", hreflang=other)
    plain = path.removeprefix("/de").partition("?")[0]
    assert link.get("href") == f"/{other}{plain}"
    assert browser.get(link.get("href")).header("Content-Language") == other


def test_c01_an_error_page_leads_to_the_front_page_in_other_languages(browser):
    assert browser.get("/nothing-here").html.one("footer").one("a", hreflang="de").get("href") == "/de/"


@pytest.mark.parametrize("path, signed_in", [("/workspace", True), ("/settings/billing", True), ("/signout", True),
                                             ("/nothing-here", False), ("/welcome?session_id=cs_test_none", False)])
def test_only_pages_that_need_a_session_have_the_links_of_one(customer, path, signed_in):
    assert len(customer[0].get(path).html.all("nav")) == signed_in


@pytest.mark.parametrize("path, known", [("/signin", "email"), ("/signup", "email")])
@pytest.mark.parametrize("name", ["mail", "emai", "ma", "emailx", "email next", "Email", ""])
def test_f14_an_unknown_field_of_a_form_is_refused(browser, db, fresh, path, known, name):
    before = tenants(db), db.value("select count(*) from auth.requests")
    page = browser.submit(browser.get(path), {known: fresh(), name: "x"})
    assert page.status == 422 and page.html.one(role="alert").text
    assert (tenants(db), db.value("select count(*) from auth.requests")) == before


def test_c60_two_forms_of_one_browser_are_both_good(browser, fresh):
    first, second = browser.get("/signup"), browser.get("/signin")
    assert browser.submit(first, {"email": fresh(), "plan": "starter"}).status == 303
    assert browser.submit(second, {"email": fresh()}).status == 303


def test_c60_a_session_and_the_form_before_it_have_tokens_of_their_own(customer):
    """The token of the sign-in form does not sign out, and the one of the session asks for no link."""
    agent, _ = customer
    agent.get("/welcome?session_id=cs_test_none")
    flow = agent.get("/signin/code").form().fields["csrf"]
    own = agent.get("/signout").form().fields["csrf"]
    assert flow != own
    assert agent.post("/signout", {"csrf": flow}).status == 403
    assert agent.post("/signin/code", {"csrf": own, "code": "0000-0000"}).status == 403
    assert agent.get("/workspace").status == 200
    assert agent.post("/signout", {"csrf": own}).status == 303


def test_f37_the_token_that_would_fit_an_empty_cookie_is_none(new_browser, stack, fresh):
    """Anybody can compute it: there must be a cookie."""
    csrf = base64.urlsafe_b64encode(hmac.new(bytes(32), b"csrf1", hashlib.sha256).digest()).decode().rstrip("=")
    for path in ("/signup", "/signin"):
        fields = {"csrf": csrf, "email": fresh(), **({"plan": "starter"} if path == "/signup" else {})}
        assert new_browser().post(path, fields).status == 403


def test_f43_a_token_in_a_header_is_one_too(browser, fresh):
    """A script may send it so; a wrong one is no token."""
    csrf = browser.get("/signin").form().fields["csrf"]
    fields = {"email": fresh(), "next": "/workspace"}
    assert browser.post("/signin", fields, X_CSRF_Token=csrf).status == 303
    assert browser.post("/signin", fields, X_CSRF_Token=csrf[::-1]).status == 403
    assert browser.post("/signin", {**fields, "csrf": "wrong"}, X_CSRF_Token=csrf).status == 403


def test_each_request_has_an_id_of_its_own_and_its_error_page_and_log_line_name_it(browser, stack):
    ids = [browser.get("/nothing-here").html.one("code").text for _ in range(3)]
    assert len(set(ids)) == 3 and all(re.fullmatch(r"[A-Za-z0-9_-]{22}", ident) for ident in ids)
    wait_until(lambda: all(any(ident in path.read_text(errors="replace") for path in Path(stack["log_dir"]).iterdir())
                           for ident in ids))


def test_other_host_names_are_redirected_to_the_site(stack):
    """The second listener of both configurations redirects other host names to the configured one."""
    page = raw(stack["plain_url"], ["GET /signup?a=b HTTP/1.1", "Host: old.example"])
    assert page.status == 308
    assert "evil" not in page.location and page.location.startswith("https://")
