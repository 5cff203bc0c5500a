"""What a stack is made of: directories, PostgreSQL, the simulator, the mail catcher, the workers and a web server."""
import glob
import http.client
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

from harness import demo as show
from harness import models
from harness.supervisor import Failed, Service, Supervisor, tail

SOURCE = Path(__file__).resolve().parents[2]
MAKEFILE = (SOURCE / "Makefile").read_text()
DAEMONS = ("jobs", "mailer")      # serve no request
APART = ("og",)                   # have no database
WORKERS = tuple(name for line in re.findall(r"^(?:WORKERS|SERVICES)\s*=(.*)", MAKEFILE, re.M)
                for name in line.split() if name not in (*DAEMONS, "tollgate"))
PROGRAMS = (*WORKERS, *DAEMONS)
ROLES = ("postgres", *re.findall(r"\('(tollgate_\w+)', '", (SOURCE / "schema/roles.sql").read_text()))
PREFIX = "usr/local"


def free_ports(n):
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(n)]
    ports = [s.getsockname()[1] for s in sockets]
    for s in sockets:
        s.close()
    return ports


def fill(template, values):
    """The text with each line after "#@ name" replaced by values[name], unless that is None; every name is used, and
    none is unknown."""
    lines, out, names = iter(template.splitlines()), [], set()
    for line in lines:
        if mark := re.fullmatch(r"\s*#@ (\w+)", line):
            marked, value = next(lines), values[mark[1]]
            line = marked if value is None else value
            names.add(mark[1])
        out.append(line)
    if unused := set(values) - names:
        raise Failed("no line is marked %s" % ", ".join(sorted(unused)))
    return "\n".join(out) + "\n"


def answers(url):
    """Whether something answers, with anything but a server error."""
    try:
        urllib.request.build_opener(Stay).open(url, timeout=5).close()
    except urllib.error.HTTPError as e:
        return e.code < 500
    except (OSError, http.client.HTTPException):
        return False
    return True


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class System:
    """demo: with addresses and a clock for people."""

    def __init__(self, directory, server, port, owners, mail_port=0, stripe_port=0, demo=False):
        self.dir, self.server, self.owners = Path(directory), server, owners
        self.run, self.log, self.etc, self.prefix = (self.dir / d for d in ("run", "log", "etc", "root/" + PREFIX))
        self.demo, self.clock_file, self.demo_key = demo, self.run / "clock", None
        ports = free_ports(8)
        self.stripe_port, self.mail_port, self.smtp_port, self.plain_port, self.identity_port, other = ports[1:7]
        self.port = port or ports[0]
        self.mail_port, self.stripe_port = mail_port or self.mail_port, stripe_port or self.stripe_port
        self.url = "http://localhost:%d" % self.port
        self.stripe_url = "http://127.0.0.1:%d" % self.stripe_port
        self.mail_url = "http://127.0.0.1:%d" % self.mail_port
        self.smtp_url = "smtp://127.0.0.1:%d" % self.smtp_port
        self.identity_url = "http://127.0.0.1:%d" % self.identity_port
        self.other_identity_url = "http://127.0.0.1:%d" % other     # a test's own, where nobody listens before
        self.models_port, self.model_keys = ports[7], models.keys()
        self.models_url = "http://127.0.0.1:%d" % self.models_port
        self.conninfo = "host=%s port=5432 dbname=tollgate" % self.run
        self.database_url = "postgresql://postgres@/tollgate?port=5432&host=" + urllib.parse.quote(str(self.run), "")
        self.stripe_key = "sk_test_" + secrets.token_hex(16)
        self.webhook_secret = "whsec_" + secrets.token_hex(24)
        self.thin_secrets = ["whsec_" + secrets.token_hex(24) for _ in range(2)]
        self.og_key = secrets.token_hex(32)
        self.identity_secret = secrets.token_urlsafe(24) + "/+%"       # with what has to be escaped
        self.cron_secrets = [secrets.token_hex(32) for _ in range(2)]
        self.env = {"PATH": "/usr/bin:/bin:/usr/sbin:/sbin", "LANG": "C.UTF-8", "TMPDIR": str(self.dir / "tmp"),
                    "TOLLGATE_CONFIG": str(self.etc / "tollgate.conf"), "PYTHONUNBUFFERED": "1",
                    **{k: v for k, v in os.environ.items() if re.match("(A|UB|L)SAN_OPTIONS$", k)}}

    def describe(self):
        return {"url": self.url, "stripe_url": self.stripe_url, "mail_url": self.mail_url,
                "database_url": self.database_url, "webhook_secret": self.webhook_secret, "log_dir": str(self.log),
                "dir": str(self.dir), "server": self.server, "smtp_url": self.smtp_url,
                "plain_url": "http://localhost:%d" % self.plain_port, "stripe_key": self.stripe_key,
                "config": self.env["TOLLGATE_CONFIG"], "og_key": self.og_key, "identity_url": self.identity_url,
                "other_identity_url": self.other_identity_url, "identity_secret": self.identity_secret,
                "prefix": str(self.prefix),
                "models_url": self.models_url, "model_keys": self.model_keys,
                "cron_secrets": self.cron_secrets, "thin_secrets": self.thin_secrets,
                "demo_key": self.demo_key, "demo_owner": show.OWNER,
                "sockets": {w: str(self.run / (w + ".sock")) for w in WORKERS}}

    def lay_out(self):
        self.check()
        for d in (self.run, self.log, self.etc, self.dir / "tmp"):
            d.mkdir(exist_ok=True)
        self.write_secret("stripe.key", self.stripe_key)
        if not self.demo:       # else the endpoint and its secret are made as an operator does
            self.write_secret("webhook.secret", self.webhook_secret)
        self.write_secret("og.key", self.og_key)
        for name, text in zip(("cron.secret", "cron.former", "thin.secret", "thin.former"),
                              self.cron_secrets + self.thin_secrets):
            self.write_secret(name, text)
        self.write_secret("seed.key", secrets.token_hex(32))
        self.write_secret("identity.secret", self.identity_secret)
        self.write_secret("other.secret", secrets.token_hex(24))
        for name, key in self.model_keys.items():
            self.write_secret(name + ".model.key", key)
        self.write_config("tollgate.conf", {
            "url": 'url = "%s";' % self.url, "pages": 'pages = "%s/share/tollgate/pages";' % self.prefix,
            "own_pages": 'own_pages = "%s/pages";' % self.etc, "environment": 'environment = "development";',
            "conninfo": 'conninfo = "%s";' % self.conninfo,
            "schema": 'schema = "%s/share/tollgate/schema";' % self.prefix,
            # a month that goes by for all customers at once is work for a minute at Stripe's pace
            "rate": "rate = 1000;", "api_url": 'api_url = "%s";' % self.stripe_url,
            "key_file": 'key_file = "%s/stripe.key";' % self.etc,
            "webhook_secret_files": 'webhook_secret_files = ["%s/webhook.secret"];' % self.etc,
            "thin_secret_files": 'thin_secret_files = ["%s/thin.secret", "%s/thin.former"];' % (self.etc, self.etc),
            "og_key_file": 'key_file = "%s/og.key";' % self.etc,
            "cron_secret_file": 'secret_file = "%s/cron.secret";' % self.etc,
            "cron_former_secret_file": 'former_secret_file = "%s/cron.former";' % self.etc,
            "seed_key_file": 'seed_key_file = "%s/seed.key";' % self.etc,
            "breached": 'breached = "%s/share/tollgate/breached";' % self.prefix,
            "slots": 'slots = "%s/slots";' % self.run,
            "providers": "providers = (%s);" % ", ".join(self.providers()),
            "growth": None,
            **models.settings(self.models_url, self.etc, show.COSTS if self.demo else ()),
            **(show.SETTINGS if self.demo else {}),
            "mail_url": 'url = "%s";' % self.smtp_url, "starttls": "starttls = false;"})

    def providers(self):
        """Each preset and two of no name, all of them the stand-in; "other" is a test's own."""
        row = '{ name = "%%s"; issuer = "%%s/%%s"; client_id = "tollgate"; secret_file = "%s/%%s.secret"; }' % self.etc
        names = ("work",) if self.demo else ("google", "github", "microsoft", "apple", "work", "partner")
        rows = [row % (name, self.identity_url, name, "identity") for name in names]
        return rows if self.demo else [*rows, row % ("other", self.other_identity_url, "other", "other")]

    def check(self):
        if len(str(self.run / ".s.PGSQL.5432.lock")) > 100:
            raise Failed("%s is too long a path for sockets; give a shorter --dir" % self.dir)

    def write_secret(self, name, text):
        path = self.etc / name
        path.touch(0o600)
        path.write_text(text + "\n")

    def write_config(self, name, values):
        template = self.prefix / "share/doc/tollgate" / name
        (self.etc / name).write_text(fill(template.read_text(), values))

    def service(self, name, argv, **more):
        env = {**self.env, **more.pop("env", {})}
        return Service(name, argv, self.log / (name + ".log"), env=env, **more)

    def command(self, name, argv):
        """Runs something to its end."""
        log = self.log / (name + ".log")
        with open(log, "ab") as out:
            done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                  env=self.env)
        if done.returncode != 0:
            raise Failed("%s ended with %d; the end of %s:\n%s" % (argv[0], done.returncode, log, tail(log)))

    def postgres(self):
        """A private cluster: no TCP, and only our own users get in, each as any of the system's roles."""
        bins = sorted(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda b: int(b.split("/")[4]))
        if not bins:
            raise Failed("PostgreSQL is not installed: make deps")
        data, bin_ = self.dir / "postgres", Path(bins[-1])
        if not (data / "PG_VERSION").exists():
            self.command("postgres", [bin_ / "initdb", "--no-sync", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8",
                                      "--auth=peer", "-D", data])
        (data / "pg_hba.conf").write_text("local all all peer map=stack\n")
        (data / "pg_ident.conf").write_text("".join(
            "stack %s %s\n" % (owner, role) for owner in self.owners for role in ROLES))
        settings = {"listen_addresses": "", "port": 5432, "unix_socket_directories": self.run,
                    "shared_buffers": "64MB", "log_line_prefix": "%m [%p] %u ", "log_parameter_max_length": 0}
        argv = [bin_ / "postgres", "-D", data]
        for name, value in settings.items():
            argv += ["-c", "%s=%s" % (name, value)]
        ready = [str(bin_ / "pg_isready"), "-q", "-h", str(self.run), "-p", "5432", "-U", "postgres"]
        return self.service("postgres", argv, stop=signal.SIGINT, env=self.clock() if self.demo else {},
                            ready=lambda: subprocess.run(ready, env=self.env).returncode == 0)

    def clock(self):
        """PostgreSQL's clock moves with the simulator's: what expires, and when, is decided there."""
        found = glob.glob("/usr/lib/*/faketime/libfaketime.so.1")
        if not found:
            raise Failed("libfaketime is not installed: tests/deps demo")
        if not self.clock_file.exists():
            self.clock_file.write_text("%+d\n" % -show.AGO)
        return {"LD_PRELOAD": found[0], "FAKETIME_TIMESTAMP_FILE": str(self.clock_file), "NO_FAKE_STAT": "1",
                "FAKETIME_CACHE_DURATION": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}

    def migrate(self):
        create = self.etc / "create.sql"
        create.write_text("select 'create database tollgate' where not exists"
                          " (select from pg_database where datname = 'tollgate') \\gexec\n")
        self.command("migrate", ["psql", "-qX", "-h", self.run, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-f",
                                 create])
        self.command("migrate", ["env", "PGUSER=postgres", self.prefix / "bin/tollgate", "migrate"])

    def lift_limits(self):
        """Raises the limits by address and in all, since here every client has the same address."""
        lift = ("update auth.limits set allowed = 1000000 where kind ~ '_(near|wide|far|ip|global)$' "
                "or kind like 'call%'")
        self.psql("limits", lift)

    def free_usage(self):
        """What is used is bounded by what each test says."""
        self.psql("usage", "select ops.put_usage('%s')" % json.dumps(models.NOTHING))

    def psql(self, name, sql):
        self.command(name, ["psql", "-qX", "-h", self.run, "-U", "postgres", "-d", "tollgate", "-c", sql])

    def simulator(self):
        argv = [self.dir / "tests/stripe/simulator", "--port", self.stripe_port, "--site", self.url,
                "--portal", *(["--clock-file", self.clock_file] if self.demo else
                              ["--webhook", self.url + "/webhooks/stripe"])]
        return self.service("stripe", argv, env={"SIM_KEY": self.stripe_key, "SIM_WEBHOOK_SECRET": self.webhook_secret},
                            ready=lambda: answers(self.stripe_url + "/_sim/"))

    def mail(self):
        argv = [self.dir / "tests/mail/catcher", "--smtp", self.smtp_port, "--http", self.mail_port]
        return self.service("mail", argv, ready=lambda: answers(self.mail_url + "/mails"))

    def identity(self):
        argv = [self.dir / "tests/identity/provider", "--port", self.identity_port, "--client", "tollgate",
                "--secret-file", self.etc / "identity.secret", *(["--ask"] if self.demo else [])]
        return self.service("identity", argv, env=self.clock() if self.demo else {},
                            ready=lambda: answers(self.identity_url + "/_seen"))

    def models(self):
        keys = [a for name in models.PROVIDERS for a in ("--key-file", "%s=%s/%s.model.key" % (name, self.etc, name))]
        argv = [self.dir / "tests/models/server", "--port", self.models_port, *keys,
                *(["--rate", show.RATE, "--say", show.SAY] if self.demo else [])]
        return self.service("models", argv, ready=lambda: answers(self.models_url + "/books"))

    def worker(self, name):
        return self.service(name, [self.prefix / "lib/tollgate" / name], listen=self.run / (name + ".sock"))

    def daemon(self, name):
        return self.service(name, [self.prefix / "lib/tollgate" / name])

    def web_ready(self):
        paths = ("/signup", "/signin", "/settings/billing", "/webhooks/stripe")
        return all(answers(self.url + path) for path in paths)

    def pages(self):
        self.command("pages", [self.prefix / "bin/tollgate", "pages", self.etc / "tollgate-pages"])

    def nginx(self):
        self.pages()
        log = self.log / "nginx.log"
        forward = "fastcgi_pass unix:%s/" % self.run
        temporary = "".join("%s_temp_path %s/tmp/%s;" % (kind, self.dir, kind)
                            for kind in ("client_body", "fastcgi", "proxy", "scgi", "uwsgi"))
        self.write_config("nginx.conf", {
            "user": "", "pid": "pid %s/nginx.pid;" % self.run, "error_log": "error_log %s warn;" % log,
            "error_log_quiet": "error_log %s alert;" % log,
            "access_log": "access_log %s/access.log private;" % self.log,
            "temp_paths": temporary,
            "cache_path": "fastcgi_cache_path %s/tmp/images keys_zone=images:1m use_temp_path=off;" % self.dir,
            "form_rate": "limit_req_zone $http_x_unlimited zone=forms:10m rate=1r/s;",
            "listen_plain": "listen 127.0.0.1:%d; server_name %s;" % (
                self.port if self.demo else self.plain_port, "127.0.0.1" if self.demo else '""'),
            "listen": "listen 127.0.0.1:%d default_server;" % self.port,
            "listen_plain_v6": "", "listen_v6": "",
            "redirect": "return 308 %s$request_uri;" % self.url if self.demo else None,
            "server_name": "server_name localhost;", "certificate": "", "certificate_key": "", "hsts": None,
            "pages": "root %s;" % self.etc, "pages_languages": "include %s/tollgate-pages/*.map;" % self.etc,
            "pass": forward + "$worker.sock;", "pass_webhooks": forward + "webhooks.sock;"})
        argv = ["nginx", "-e", log, "-c", self.etc / "nginx.conf", "-g", "daemon off;"]
        return self.service("nginx", argv, ready=self.web_ready)

    def apache(self):
        self.pages()
        self.write_config("apache.conf", {
            "user": "", "group": "", "run": 'Define RUN "%s"' % self.run, "log": 'Define LOG "%s"' % self.log,
            "libexec": 'Define LIBEXEC "%s/lib/tollgate"' % self.prefix,
            "config": 'Define CONFIG "%s"' % self.env["TOLLGATE_CONFIG"], "name": "Define NAME localhost",
            "pages": 'Define PAGES "%s/tollgate-pages"' % self.etc,
            "listen_plain": "Listen 127.0.0.1:%d" % self.plain_port, "listen": "Listen 127.0.0.1:%d" % self.port,
            "plain": "<VirtualHost *:%d>" % self.plain_port, "site": "<VirtualHost *:%d>" % self.port,
            "tls": "", "certificate": "", "certificate_key": "", "hsts": None})
        argv = ["apache2", "-f", self.etc / "apache.conf", "-D", "FOREGROUND"]
        return self.service("apache", argv, ready=self.web_ready)

    def start(self, supervisor, only=None):
        self.lay_out()
        supervisor.launch(self.postgres())
        self.migrate()
        if only == "database":
            return
        self.lift_limits()
        if not self.demo:
            self.free_usage()
        supervisor.launch(self.simulator())
        if self.demo:
            self.command("apply", [self.prefix / "bin/tollgate", "stripe", "apply", "--secret-file",
                                   self.etc / "webhook.secret"])
        supervisor.launch(self.mail())
        supervisor.launch(self.identity())
        supervisor.launch(self.models())
        for name in DAEMONS:
            supervisor.launch(self.daemon(name))
        if self.server == "apache":
            return supervisor.launch(self.apache())
        for name in WORKERS:
            supervisor.launch(self.worker(name))
        supervisor.launch(self.nginx())
        if self.demo:
            self.demo_key = show.furnish(self)
