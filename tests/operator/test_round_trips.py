"""How often a program waits for the database: what lies between them counts the turns of the conversation."""
import base64
import hashlib
import select
import socket
import threading

import pytest
from test_environment import fcgi, running

PAGES = [("account", "/workspace", 1), ("account", "/settings/sessions", 1), ("account", "/api/auth/session", 1),
         ("billing", "/api/billing/plan", 1),
         ("billing", "/settings/billing", 2)]   # the second one for the plans to choose from
T = hashlib.sha256(b"a token").digest()
COOKIE = "__Host-sid=" + 2 * base64.urlsafe_b64encode(T).decode().rstrip("=")


class Relay:
    """A directory with a socket that leads to PostgreSQL's. turns: how often a client has sent after it had read."""

    def __init__(self, server, directory):
        directory.mkdir()
        self.target, self.turns = server + "/.s.PGSQL.5432", 0
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(directory / ".s.PGSQL.5432"))
        self.listener.listen()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.carry, args=(client,), daemon=True).start()

    def carry(self, client):
        server = socket.socket(socket.AF_UNIX)
        server.connect(self.target)
        ends, asked = {client: server, server: client}, False
        while True:
            for end in select.select(list(ends), [], [])[0]:
                data = end.recv(65536)
                if not data:
                    client.close()
                    server.close()
                    return
                self.turns += end is client and not asked
                asked = end is client
                ends[end].sendall(data)


@pytest.fixture
def relayed(site, tmp_path):
    """(site, relay): the site's programs reach the database through the relay."""
    relay = Relay(site.server, tmp_path / "relay")
    site.conf.write_text(site.conf.read_text().replace(f"host={site.server}", f"host={tmp_path}/relay"))
    yield site, relay
    relay.listener.close()


@pytest.mark.parametrize("name, path, times", PAGES)
def test_c48_a_page_asks_the_database_once_also_when_its_token_is_due(relayed, name, path, times):
    """Who asks, what is shown, and the token that takes the place of the one that is due."""
    site, relay = relayed
    site.tenant("ann@example.com")
    stored = hashlib.sha256(hashlib.sha256(b"db1" + T).digest()).digest()
    site.ask("with s as (insert into auth.sessions (user_id, absolute_until, idle_until, auth_at, amr) "
             "select id, now() + interval '12 hours', now() + interval '12 hours', now(), '{link}' from auth.users "
             "returning id) insert into auth.tokens (hash, session_id, confirmed_at) select %s, id, now() from s",
             stored)

    def turns():
        before = relay.turns
        answer = fcgi.call(program.socket, "GET", path, HTTP_COOKIE=COOKIE)
        assert answer.status == 200, answer
        return relay.turns - before, any(
            k == "Set-Cookie" and v.startswith("__Host-sid=") for k, v in answer.headers)
    with running(site, name) as program:
        for _ in range(3):
            turns()     # connections, and their plans
        assert turns() == (times, False)
        site.ask("update auth.tokens set issued_at = now() - interval '16 min'")
        assert turns() == (times, True)
