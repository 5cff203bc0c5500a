"""Answers that are written as they come, behind each web server in each of its ways to speak FastCGI."""
import http.client
import os
import socket
import subprocess
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from conftest import SERVER
from journey import wait_until

ROOT = Path(__file__).resolve().parents[2]
WAYS = {"nginx": ["nginx"], "apache": ["mod_fcgid", "mod_proxy_fcgi"]}[SERVER]
# The second write after the client has left fails at Apache, so a ping every half second takes a second to notice.
NOTICED_S = {"nginx": 1, "mod_fcgid": 3, "mod_proxy_fcgi": 3}

# The socket is its maker's alone, and nginx would give root away.
USER = "user root root;" if os.geteuid() == 0 else ""
NGINX = """
{user}
pid {dir}/nginx.pid;
error_log {dir}/error.log warn;
events {{ worker_connections 64; }}
http {{
	access_log off;
	client_body_temp_path {dir};
	fastcgi_temp_path {dir};
	proxy_temp_path {dir};
	scgi_temp_path {dir};
	uwsgi_temp_path {dir};
	server {{
		listen 127.0.0.1:{port};
		location / {{
			fastcgi_pass unix:{dir}/socket;
			fastcgi_param REQUEST_METHOD $request_method;
			fastcgi_param REQUEST_URI $request_uri;
			fastcgi_param SERVER_PROTOCOL $server_protocol;
			fastcgi_param REMOTE_ADDR $remote_addr;
		}}
	}}
}}
"""
APACHE = """
ServerRoot /usr/lib/apache2
ServerName localhost
DefaultRuntimeDir {dir}
PidFile {dir}/apache2.pid
ErrorLog {dir}/error.log
LoadModule mpm_event_module modules/mod_mpm_event.so
LoadModule authz_core_module modules/mod_authz_core.so
LoadModule alias_module modules/mod_alias.so
Listen 127.0.0.1:{port}
"""
MOD_FCGID = """
LoadModule fcgid_module modules/mod_fcgid.so
FcgidIPCDir {dir}
FcgidProcessTableFile {dir}/fcgid.shm
FcgidOutputBufferSize 0
FcgidInitialEnv LOG {dir}/log
FcgidInitialEnv RELEASE {dir}/release
AliasMatch "^/.*" {dir}/streamer
<Directory {dir}>
	SetHandler fcgid-script
	Options +ExecCGI
	Require all granted
</Directory>
"""
MOD_PROXY_FCGI = """
LoadModule proxy_module modules/mod_proxy.so
LoadModule proxy_fcgi_module modules/mod_proxy_fcgi.so
ProxyPass / "unix:{dir}/socket|fcgi://localhost/" flushpackets=on
"""


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Built as the programs are: a stack under a sanitizer has libraries that need it."""
    to = tmp_path_factory.mktemp("streamer") / "streamer"
    build = ROOT / os.environ.get("BUILD", "build")
    sanitize = os.environ.get("SANITIZE")
    flags, libraries = (subprocess.run(["pkg-config", what, "talloc", "libcrypto"], check=True, capture_output=True,
                                       text=True).stdout.split() for what in ("--cflags", "--libs"))
    subprocess.run(["make", "-s", "-C", ROOT, build / "web.a", build / "base.a"], check=True)
    subprocess.run(["cc", "-std=gnu17", "-O1", "-D_GNU_SOURCE", "-pthread", *flags,
                    *(["-fsanitize=" + sanitize] if sanitize else []), "-I%s/lib/web" % ROOT, "-I%s/lib/base" % ROOT,
                    "-o", to, Path(__file__).with_name("streamer.c"), build / "web.a", build / "base.a", "-lfcgi",
                    *libraries], check=True)
    return to


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


@contextmanager
def process(argv, **env):
    with subprocess.Popen([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL, env={"PATH": os.environ["PATH"] + ":/usr/sbin", **env}) as p:
        try:
            yield p
        finally:
            p.terminate()


class Site:
    def __init__(self, directory, way):
        self.dir, self.way, self.port = directory, way, free_port()

    def configuration(self):
        text = {"nginx": NGINX, "mod_fcgid": APACHE + MOD_FCGID, "mod_proxy_fcgi": APACHE + MOD_PROXY_FCGI}[self.way]
        (self.dir / "conf").write_text(text.format(dir=self.dir, port=self.port, user=USER))
        return self.dir / "conf"

    def argv(self):
        if self.way == "nginx":
            return ["nginx", "-e", self.dir / "error.log", "-c", self.configuration(), "-g", "daemon off;"]
        return ["apache2", "-f", self.configuration(), "-D", "FOREGROUND"]

    def answers(self):
        try:
            return self.ask("/pieces").read1(1) == b"d"
        except OSError:
            return False

    def ask(self, path):
        self.connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.connection.request("GET", path)
        return self.connection.getresponse()

    def lines(self):
        log = self.dir / "log"
        return [line for line in log.read_text().splitlines() if '"event":"request"' in line] if log.exists() else []


@pytest.fixture(scope="module", params=WAYS)
def site(request, program, tmp_path_factory):
    directory = tmp_path_factory.mktemp(request.param)
    directory.chmod(0o755)
    (directory / "streamer").symlink_to(program)
    s = Site(directory, request.param)
    env = {"LOG": str(directory / "log"), "RELEASE": str(directory / "release")}
    (directory / "release").touch()
    with process([program, "--listen", directory / "socket"], **env), process(s.argv()):
        wait_until(s.answers)
        (directory / "release").unlink()
        yield s


def test_c78_each_piece_reaches_the_client_as_soon_as_it_is_written(site):
    response = site.ask("/pieces")
    assert (response.status, response.getheader("content-length")) == (200, None)
    assert response.getheader("content-type") == "text/event-stream"
    assert response.read1(100) == b"data: one\n\n"
    (site.dir / "release").touch()
    assert response.read() == b"data: two\n\n"
    (site.dir / "release").unlink()


@pytest.mark.parametrize("path", ["/pings"] + ["/silent"] * (SERVER == "nginx"))
def test_f136_the_program_notices_that_a_client_has_left(site, path):
    def noticed():
        return sum('"route":"/stream","status":499,' in line for line in site.lines())

    before = noticed()
    response = site.ask(path)
    assert response.read1(11) == b"data: one\n\n"
    time.sleep(0.2)
    left = time.monotonic()
    response.close()
    site.connection.close()
    wait_until(lambda: noticed() > before)
    assert time.monotonic() - left < NOTICED_S[site.way]
