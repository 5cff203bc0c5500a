"""client: a small HTTP client that behaves as a browser does, without JavaScript.

It keeps cookies by a browser's rules (Secure and __Host- also on http://localhost), says where a request comes from
(Origin, Sec-Fetch-Site, Referrer-Policy), and reads forms out of HTML and submits them with their hidden fields. It
follows a redirect only when asked: what the answer was is what most tests want to see.
"""
import http.client
import json
import re
import socket
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin, urlsplit

VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
shown = set()       # seeds and recovery codes of second factors, too
issued = set()      # each cookie and form token that a Browser got; test_secrets looks for them in logs and pages
HTML = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"
AGENT = "Mozilla/5.0 (X11; Linux x86_64) Browser/1.0"


class Element:
    def __init__(self, tag, attributes=(), parent=None):
        self.tag, self.attributes, self.parent, self.children = tag, dict(attributes), parent, []

    def get(self, name, default=None):
        return self.attributes.get(name, default)

    @property
    def text(self):
        parts = [c if isinstance(c, str) else c.text for c in self.children]
        return re.sub(r"\s+", " ", "".join(parts)).strip()

    def walk(self):
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child.walk()

    def all(self, tag=None, **attributes):
        """Descendants with this tag and these attributes, in order. A value of None: any value."""
        return [e for e in self.walk() if tag in (None, e.tag) and all(
            name in e.attributes and value in (None, e.attributes[name]) for name, value in attributes.items())]

    def one(self, tag=None, **attributes):
        found = self.all(tag, **attributes)
        assert len(found) == 1, f"{len(found)} elements {tag} {attributes}"
        return found[0]


class Tree(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.root = self.at = Element("#document")
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        element = Element(tag, [(k, "" if v is None else v) for k, v in attributes], self.at)
        self.at.children.append(element)
        if tag not in VOID:
            self.at = element

    def handle_endtag(self, tag):
        if tag in VOID:
            return
        at = self.at
        while at.parent is not None and at.tag != tag:
            at = at.parent
        if at.parent is not None:
            self.at = at.parent

    def handle_data(self, data):
        self.at.children.append(data)


class Form:
    def __init__(self, element):
        self.element = element
        self.method = element.get("method", "get").upper()
        self.action = element.get("action", "")
        self.fields = {}
        for e in element.walk():
            name = e.get("name")
            if name is None or e.get("disabled") is not None:
                continue
            if e.tag == "select":
                self.fields[name] = self.chosen(e)
            elif e.tag == "textarea":
                self.fields[name] = e.text
            elif e.tag == "input" and (e.get("type") not in ("checkbox", "radio", "submit")
                                       or e.get("checked") is not None):
                self.fields[name] = e.get("value", "")

    @staticmethod
    def chosen(select):
        options = select.all("option")
        picked = [o for o in options if o.get("selected") is not None] or options[:1]
        return picked[0].get("value", picked[0].text) if picked else ""

    @property
    def buttons(self):
        return [e for e in self.element.walk() if e.tag == "button" or (e.tag, e.get("type")) == ("input", "submit")]


class Page:
    """One answer."""

    def __init__(self, url, method, status, headers, body):
        self.url, self.method, self.status, self.headers, self.body = url, method, status, headers, body
        self.sent = None

    def header(self, name):
        """All values joined as HTTP has it; None when absent."""
        found = self.header_all(name)
        return ", ".join(found) if found else None

    def header_all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    @property
    def text(self):
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def html(self):
        return Tree(self.text).root

    @property
    def forms(self):
        return [Form(e) for e in self.html.all("form")]

    def form(self, action=None):
        """The form with that action, or the only one in the page's main part that needs no other party
        and no script."""
        root = self.html
        inside = root.all("main")
        forms = [Form(e) for e in (inside[0] if inside and action is None else root).all("form")]
        found = [f for f in forms if f.action == action
                 or action is None and "elsewhere" not in f.element.get("class", "")
                 and not f.element.get("data-challenge")]
        assert len(found) == 1, f"{len(found)} forms {action or ''} in {self.url} ({self.status})"
        return found[0]

    @property
    def location(self):
        return self.header("Location")

    def __repr__(self):
        """With the words that people see, for those tell why."""
        says = self.body.decode(errors="replace")
        main = self.html.all("main") if "<main" in says else []
        said = main[0].text if main else says
        return f"<{self.method} {self.url}: {self.status} {self.location or ''} {said[:1000]!r}>"


def origin_of(url):
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Browser:
    """One cookie jar. base: what relative addresses begin from. more: headers sent with every request."""

    def __init__(self, base, language="en", address=None, **more):
        self.base = base
        self.address = address      # our end of the connection: behind nginx and Apache, REMOTE_ADDR
        self.cookies = {}           # (host, name): (value, SameSite)
        self.refused = []           # Set-Cookie lines a browser would not take
        self.more = {"User-Agent": AGENT, "Accept": HTML, "Accept-Language": language, **more}

    def cookie(self, name, url=None):
        return self.cookies.get((urlsplit(url or self.base).hostname, name), (None,))[0]

    def set_cookie(self, name, value):
        self.cookies[urlsplit(self.base).hostname, name] = (value, "lax")

    def get(self, url, came_from=None, **headers):
        return self.request("GET", url, came_from=came_from, **headers)

    def post(self, url, fields, came_from="", **headers):
        """A form as our own page would send it; came_from: the page's address, "" for a page of this site."""
        headers.setdefault("Content_Type", "application/x-www-form-urlencoded")
        body = fields if isinstance(fields, bytes) else urlencode(fields).encode()
        return self.request("POST", url, body, came_from=self.base if came_from == "" else came_from, **headers)

    def submit(self, page, fields=(), action=None, button=None, **headers):
        """The page's form with these fields changed; None leaves one out. button: text of the one that is pressed."""
        form = page.form(action)
        values = {k: v for k, v in {**form.fields, **dict(fields)}.items() if v is not None}
        target = form.action
        if button is not None:
            pressed = next(b for b in form.buttons if button in (b.text, b.get("value"), b.get("name")))
            if pressed.get("name"):
                values[pressed.get("name")] = pressed.get("value", "")
            target = pressed.get("formaction", target)
        url = urljoin(page.url, target)
        if form.method == "GET":
            return self.get(url + "?" + urlencode(values), came_from=page, **headers)
        return self.post(url, values, came_from=page, **headers)

    def follow(self, page, times=1):
        """The redirect as a browser does it: by GET, whatever the request was."""
        for _ in range(times):
            assert page.status == 303, page
            page = self.get(urljoin(page.url, page.location), came_from=page)
        return page

    def request(self, method, url, body=None, came_from=None, **headers):
        url = urljoin(self.base + "/", url)
        sent = {**self.more, **self.provenance(method, url, came_from), **self.cookie_header(method, url, came_from)}
        sent.update({k.replace("_", "-"): v for k, v in headers.items()})
        sent = {k: v for k, v in sent.items() if v is not None}
        page = exchange(method, url, sent, body, self.address)
        page.sent = sent
        issued.update(re.findall(r'name="csrf" value="([^"]+)"', page.body.decode("utf-8", "replace")))
        self.keep_cookies(page)
        return page

    @staticmethod
    def provenance(method, url, came_from):
        """Origin and Sec-Fetch-*: "none" for an address that was typed. A page that sends no referrer has no origin."""
        if came_from is None:
            return {"Sec-Fetch-Site": "none"}
        source, policy = (came_from.url, came_from.header("Referrer-Policy")) if isinstance(came_from, Page) \
            else (came_from, None)
        same = origin_of(source) == origin_of(url)
        told = {"Sec-Fetch-Site": "same-origin" if same else "cross-site"}
        if method not in ("GET", "HEAD"):
            told["Origin"] = "null" if policy == "no-referrer" or (policy == "same-origin" and not same) \
                else origin_of(source)
        return told

    def cookie_header(self, method, url, came_from):
        host, source = urlsplit(url).hostname, came_from.url if isinstance(came_from, Page) else came_from
        cross = source is not None and urlsplit(source).hostname != host
        pairs = [f"{name}={value}" for (at, name), (value, site) in self.cookies.items() if at == host
                 and not (cross and (site == "strict" or site == "lax" and method not in ("GET", "HEAD")))]
        return {"Cookie": "; ".join(pairs)} if pairs else {}

    def keep_cookies(self, page):
        for line in page.header_all("Set-Cookie"):
            name, value, attributes = read_cookie(line)
            issued.update(value[i:i + 43] for i in range(0, len(value), 43))    # a session's has two parts
            host_only = attributes.get("path") == "/" and "secure" in attributes and "domain" not in attributes
            if name.startswith("__Host-") and not host_only:
                self.refused.append(line)
            elif attributes.get("max-age") == "0":
                self.cookies.pop((urlsplit(page.url).hostname, name), None)
            else:
                self.cookies[urlsplit(page.url).hostname, name] = (value, attributes.get("samesite", "lax").lower())


def read_cookie(line):
    """(name, value, attributes in lower case) of a Set-Cookie line."""
    first, *rest = line.split(";")
    name, _, value = first.strip().partition("=")
    pairs = (part.strip().partition("=") for part in rest)
    return name, value, {k.lower(): v for k, _, v in pairs}


def exchange(method, url, headers, body=None, address=None):
    """One request on a connection of its own."""
    parts = urlsplit(url)
    source = None if address is None else (address, 0)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=60, source_address=source)
    try:
        connection.request(method, parts.path + ("?" + parts.query if parts.query else ""), body, headers)
        answer = connection.getresponse()
        return Page(url, method, answer.status, answer.getheaders(), answer.read())
    finally:
        connection.close()


class Raw:
    """A connection for what no HTTP library would send. The last answer's status is 0 when there was none."""

    def __init__(self, base, timeout=20):
        parts = urlsplit(base)
        self.url = base
        self.host = parts.netloc
        self.socket = socket.create_connection((parts.hostname, parts.port), timeout)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def send(self, data):
        """Sends as much as the other side takes: it may have answered and gone before the end."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def answer(self, method="GET"):
        reply = http.client.HTTPResponse(self.socket, method=method)
        try:
            reply.begin()
            return Page(self.url, method, reply.status, reply.getheaders(), reply.read())
        except (http.client.HTTPException, OSError):
            return Page(self.url, method, 0, [], b"")
        finally:
            reply.close()


def raw(base, lines, body=b"", method="GET"):
    """One request of these header lines (text or bytes), Host and Connection: close added; one answer."""
    with Raw(base) as r:
        first, *rest = [line if isinstance(line, bytes) else line.encode() for line in lines]
        host = [] if any(line.lower().startswith(b"host:") for line in rest) else [f"Host: {r.host}".encode()]
        r.send(b"\r\n".join([first, *host, b"Connection: close", *rest, b"", b""]) + body)
        return r.answer(method)
