"""Chat behind mod_proxy_fcgi, as conf/apache.conf shows: one process with a thread for each answer."""
import os
import re
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from chatting import Chat
from journey import wait_until
from test_chat import chat, models, settings, turns  # noqa: F401 (fixtures)
from test_front import change  # noqa: F401 (fixture)
from test_people import owner  # noqa: F401 (fixture)

pytestmark = pytest.mark.only("apache")
MODULES = "LoadModule proxy_module modules/mod_proxy.so\nLoadModule proxy_fcgi_module modules/mod_proxy_fcgi.so\n"


@pytest.fixture
def process(stack, change):  # noqa: F811
    """The program on a socket, and Apache's file with the shipped lines for it without their #."""
    where = stack["sockets"]["chat"]

    def proxied(text):
        lines = re.search(r"(?m)^\t#(ProxyPassMatch .*?unix:)\S+?\|(.*\n)\t#(.*\n)\t#(ProxyFCGI.*\n)", text)
        text = re.sub(r'(?m)^\tAliasMatch .*/chat"\n', "", text).replace(
            lines[0], "%s%s|%s%s%s" % (lines[1], where, *lines.groups()[1:]))
        return text.replace("LoadModule fcgid_module", MODULES + "LoadModule fcgid_module")
    Path(where).unlink(missing_ok=True)
    with subprocess.Popen([stack["prefix"] + "/lib/tollgate/chat", "--listen", where], stderr=subprocess.DEVNULL,
                          env={"TOLLGATE_CONFIG": stack["config"]}) as running:
        try:
            wait_until(Path(where).exists)
            os.chmod(where, 0o666)      # the unit gives it to the web server's group
            change(apache=proxied)
            yield running
        finally:
            running.terminate()


def test_c78_one_process_answers_many(process, chat, models, db):  # noqa: F811
    models.plan(0, words=10, rate=8)
    began = time.monotonic()
    with ThreadPoolExecutor(12) as pool:
        answers = list(pool.map(lambda _: Chat(chat.browser).begin("Hello").first(), range(12)))
        assert time.monotonic() - began < 8, "one after another they take 15 s"
        assert chat.api().status == 200 and chat.browser.get("/de/chat").status == 200
        for answer in pool.map(lambda a: a.all(), answers):
            assert answer.finish == "stop" and answer.text.count("word") == 10
            assert answer.at[-1] - answer.at[2] > 0.5, "each part as it was written"
    assert process.poll() is None


def test_f136_f108_the_client_leaves(process, chat, models, db):  # noqa: F811
    models.plan(1, words=400, rate=10)
    chat.begin("Hello").first().close()
    left = time.monotonic()
    wait_until(lambda: models.calls()[0][2] == "cancelled")
    assert time.monotonic() - left < 5
    wait_until(lambda: turns(db, chat)[0][:2] == ("partial", "settled"))


def test_f110_a_process_that_is_killed_breaks_the_connection(process, chat, models, db):  # noqa: F811
    models.plan(1, words=400, rate=10)
    answer = chat.begin("Hello").first()
    process.kill()
    answer.all()
    assert answer.broken and answer.finish is None and not answer.of("error")
    db.execute("update usage.holds set expires_at = now() where state = 'held'")
