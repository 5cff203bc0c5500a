"""The parts of the web servers' files that are included into a site that is there already: Debian's stock ones."""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from test_conf import production
from test_shipped import Recorder

ROOT = Path(__file__).resolve().parents[2]
TOKEN = "t" * 43
# /etc/apache2/sites-available/000-default.conf of Debian 12, and what apache2.conf and mods-enabled give to it.
STOCK_APACHE = """
ServerRoot "/usr/lib/apache2"
ServerName localhost
PidFile DIR/apache2.pid
DefaultRuntimeDir DIR
%s
User www-data
Group www-data
ErrorLog DIR/error.log
LogFormat "%%h %%l %%u %%t \\"%%r\\" %%>s %%O \\"%%{Referer}i\\" \\"%%{User-Agent}i\\"" combined
FcgidIPCDir DIR/fcgid
FcgidProcessTableFile DIR/fcgid.shm
<Directory />
	Options FollowSymLinks
	AllowOverride None
	Require all denied
</Directory>
<Directory DIR/html>
	Options Indexes FollowSymLinks
	AllowOverride None
	Require all granted
</Directory>
Listen 127.0.0.1:PORT
<VirtualHost *:PORT>
	ServerAdmin webmaster@localhost
	DocumentRoot DIR/html
	ErrorLog DIR/error.log
	CustomLog DIR/access.log private
	Include DIR/tollgate.conf
</VirtualHost>
""" % "\n".join("LoadModule %s_module modules/mod_%s.so" % (name, name) for name in (
    "mpm_event", "authz_core", "alias", "dir", "headers", "reqtimeout", "filter", "deflate",
    "setenvif", "negotiation", "fcgid", "remoteip"))


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as s:
        return s.getsockname()[1]


def ask(port, path, *lines):
    """The answer's head, in lower case, and its body."""
    head = ["GET %s HTTP/1.1" % path, "Host: app.example.com", "Connection: close", "Accept-Encoding: gzip", *lines]
    with socket.create_connection(("127.0.0.1", port), 20) as s:
        s.sendall("\r\n".join([*head, "", ""]).encode())
        answer = b""
        while part := s.recv(65536):
            answer += part
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.decode().lower(), body


def running(port, argv):
    process = subprocess.Popen([str(a) for a in argv], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 20
    while True:
        assert process.poll() is None and time.monotonic() < deadline
        try:
            socket.create_connection(("127.0.0.1", port)).close()
            return process
        except OSError:
            time.sleep(0.02)


@pytest.fixture
def place():
    with tempfile.TemporaryDirectory(prefix="tollgate-stock-") as name:
        os.chmod(name, 0o755)
        (Path(name) / "html").mkdir()
        (Path(name) / "html/index.html").write_text("the site that is there\n")
        yield Path(name)


@pytest.fixture
def stock_nginx(place, installed):
    """Debian's nginx.conf and its default site with two lines of ours: what is copied, and the include."""
    port, parts = free_port(), installed / "usr/share/doc/tollgate/nginx"
    etc = shutil.copytree("/etc/nginx", place / "nginx", ignore=shutil.ignore_patterns("sites-enabled", "modules-*"))
    shutil.copy(parts / "conf.d/tollgate.conf", etc / "conf.d")
    shutil.copy(parts / "snippets/tollgate.conf", etc / "snippets")
    site = (etc / "sites-available/default").read_text()
    (etc / "sites-enabled").mkdir()
    (etc / "sites-enabled/default").write_text(site.replace(
        "server_name _;", "server_name _;\n\tinclude snippets/tollgate.conf;", 1))
    kinds = ("client_body", "fastcgi", "proxy", "scgi", "uwsgi")
    for path in (p for p in etc.rglob("*") if p.is_file()):
        text = path.read_text(errors="replace")
        for there, here in (("/etc/nginx/", "%s/" % etc), ("/run/nginx.pid", "%s/pid" % place),
                            ("/var/log/nginx/", "%s/" % place), ("/var/lib/nginx/", "%s/" % place),
                            ("unix:/run/tollgate/", "unix:%s/" % place),
                            ("listen 80 default_server", "listen 127.0.0.1:%d default_server" % port),
                            ("listen [::]:80 default_server;", ""), ("root /var/www/html", "root %s/html" % place),
                            ("#set_real_ip_from 192.0.2.10", "set_real_ip_from 127.0.0.1"),
                            ("#real_ip_", "real_ip_"), ("\tgzip on;\n", "\tgzip on;\n\tgzip_types *;\n")):
            text = text.replace(there, here)
        path.write_text(text)
    conf = etc / "nginx.conf"
    text = re.sub(r"include \S*modules-enabled\S*", "", conf.read_text()).replace(
        "http {", "http {\n" + "".join("%s_temp_path %s/%s;" % (kind, place, kind) for kind in kinds), 1)
    conf.write_text(text if os.getuid() == 0 else text.replace("user www-data;", ""))
    program = Recorder(place / "account.sock")
    process = running(port, ["/usr/sbin/nginx", "-e", place / "error.log", "-c", conf, "-g", "daemon off;"])
    yield port, program, place
    process.terminate()
    process.wait(20)
    program.socket.close()


def test_tollgate_is_part_of_debians_stock_nginx(stock_nginx):
    port, program, place = stock_nginx
    head, body = ask(port, "/")
    assert " 200 " in head.splitlines()[0] and b"the site that is there" in body and program.requests == []
    assert " 404 " in ask(port, "/nothing")[0].splitlines()[0]
    head, body = ask(port, "/de/workspace", "X-Forwarded-For: 203.0.113.9", "Referer: http://x/?t=" + TOKEN)
    (_, sent, _), = program.requests
    assert " 200 " in head.splitlines()[0] and b"ok\n" in body
    assert (sent["REQUEST_URI"], sent["REMOTE_ADDR"]) == ("/de/workspace", "203.0.113.9")
    assert "gzip" not in head and "strict-transport-security" in head
    assert " 503 " in ask(port, "/signin/link?t=" + TOKEN)[0].splitlines()[0], "no program listens for it"
    logs = {path.name: path.read_text() for path in place.glob("*.log")}
    assert '"path":"/signin/link"' in logs["tollgate.log"]
    assert [name for name, text in logs.items() if "link?t=" + TOKEN in text] == []


@pytest.fixture
def stock_apache(place, installed):
    port = free_port()
    part = (installed / "usr/share/doc/tollgate/apache/tollgate.conf").read_text()
    conf = place / "of-tollgate.conf"
    conf.write_text(production("tollgate.conf", environment='environment = "preview";',
                               pages='pages = "%s/workers/pages";' % ROOT, conninfo='conninfo = "host=%s";' % place))
    libexec = shutil.copytree(installed / "usr/lib/tollgate", place / "libexec")
    subprocess.run([installed / "usr/bin/tollgate", "pages", "--config", conf, place / "pages"], check=True,
                   stdout=subprocess.DEVNULL)
    for there, here in (('"/usr/lib/tollgate"', '"%s"' % libexec), ("/etc/tollgate/tollgate.conf", str(conf)),
                        ('"/var/lib/tollgate-pages"', '"%s/pages"' % place),
                        ("#RemoteIPHeader", "RemoteIPHeader"),
                        ("#RemoteIPInternalProxy 192.0.2.10", "RemoteIPInternalProxy 127.0.0.1")):
        assert there in part
        part = part.replace(there, here)
    (place / "tollgate.conf").write_text(part)
    text = STOCK_APACHE.replace("DIR", str(place)).replace("PORT", str(port))
    (place / "apache2.conf").write_text(text if os.getuid() == 0 else re.sub("(?m)^(User|Group) .*", "", text))
    process = running(port, ["/usr/sbin/apache2", "-f", place / "apache2.conf", "-D", "FOREGROUND"])
    yield port, place
    process.terminate()
    process.wait(30)


def test_tollgate_is_part_of_debians_stock_apache(stock_apache):
    port, place = stock_apache
    head, body = ask(port, "/")
    assert " 200 " in head.splitlines()[0] and b"the site that is there" in body
    assert " 404 " in ask(port, "/nothing")[0].splitlines()[0]
    head, _ = ask(port, "/style.css")
    assert " 200 " in head.splitlines()[0] and "content-encoding: gzip" in head and "vary: accept-encoding" in head
    head, _ = ask(port, "/workspace?t=" + TOKEN, "X-Forwarded-For: 203.0.113.9")
    assert " 303 " in head.splitlines()[0] and "location: /signin" in head and "strict-transport-security" in head
    log = (place / "access.log").read_text()
    assert '"remote":"203.0.113.9"' in log and '"path":"/workspace"' in log and TOKEN not in log
    assert '"event":"request"' in (place / "error.log").read_text()


@pytest.mark.parametrize("path, languages, words", [
    ("/signup", "fr, de;q=0.5, en;q=0.1", "das war unser fehler|wir sind gleich wieder da"),
    ("/signup", "fr", "that was our mistake|we will be right back"),
    ("/de/signup", "en", "unser fehler|gleich wieder")])
def test_f115_while_no_program_starts_apache_says_so_in_our_words(stock_apache, path, languages, words):
    port, place = stock_apache
    shutil.copy("/bin/false", place / "libexec/signup")
    head, body = ask(port, path, "Accept-Language: " + languages)
    assert re.match("http/1.1 50[03] ", head) and "content-type: text/html; charset=utf-8" in head
    assert re.search(words, re.search("<h1>(.*)</h1>", body.decode()).group(1).lower())
    assert "cache-control: no-store" in head and ("retry-after: 5" in head) == (" 503 " in head.splitlines()[0])
