"""How a program is started, and what it says over https: options, exit statuses, and headers of a site behind TLS."""
import os
import subprocess

import pytest
from conftest import BUILD, SECRET
from test_environment import DAEMONS, WORKERS, fcgi, running

THREADS = "--threads must be a number from 1 to 1024"


def run(name, *arguments, **env):
    return subprocess.run([BUILD / name, *map(str, arguments)], capture_output=True, text=True, timeout=20,
                          stdin=subprocess.DEVNULL,
                          env={"PATH": os.environ["PATH"], "TOLLGATE_STRIPE_WEBHOOK_SECRET": SECRET, **env})


@pytest.mark.parametrize("name", [*WORKERS, *DAEMONS])
def test_command_line_help_and_version_go_to_stdout_with_0(name):
    for option in ("--help", "--version"):
        done = run(name, option)
        assert (done.returncode, done.stderr) == (0, "") and name in done.stdout


@pytest.mark.parametrize("arguments, why", [
    (["--nonsense"], "usage: signin"), (["--config"], "usage: signin"), (["extra"], "takes no arguments"),
    (["--check", "extra"], "takes no arguments"),
    *((["--threads", n], THREADS) for n in ("0", "-1", "1025", "4x", "", "x"))])
def test_command_line_usage_goes_to_stderr_with_64(site, arguments, why):
    done = run("signin", *arguments, TOLLGATE_CONFIG=str(site.conf))
    assert (done.returncode, done.stdout) == (64, "") and why in done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_command_line_jobs_and_mailer_serve_nothing_and_take_no_socket(site, name):
    for option in ("--listen", "--threads"):
        assert run(name, option, "1", "--check", TOLLGATE_CONFIG=str(site.conf)).returncode == 64


@pytest.mark.parametrize("threads, code", [("4", 0), ("1024", 0), ("1025", 64), ("", 64)])
def test_command_line_threads_come_from_the_environment_too(site, threads, code):
    assert run("signin", "--check", "--config", site.conf, TOLLGATE_THREADS=threads).returncode == code
    assert run("signin", "--check", "--threads", "2", "--config", site.conf, TOLLGATE_THREADS=threads).returncode == 0


@pytest.mark.parametrize("name", [*WORKERS, *DAEMONS])
def test_command_line_check_says_that_no_fault_was_found(site, name):
    done = run(name, "--check", TOLLGATE_CONFIG=str(site.conf))
    assert (done.returncode, done.stdout) == (0, f"{name}: {site.conf}: no fault found\n")


def test_f48_check_leaves_the_locks_of_signin_alone(site, tmp_path):
    """Who checks is root or the operator, and who serves is neither."""
    locks = tmp_path / "locks"
    site.conf.write_text(site.conf.read_text().replace('breached = "";', f'breached = ""; slots = "{locks}";'))
    assert run("signin", "--check", "--config", site.conf).returncode == 0 and not locks.exists()
    locks.mkdir()
    locks.chmod(0o777)
    assert run("signin", "--check", "--config", site.conf).returncode == 0 and list(locks.iterdir()) == []
    served = run("signin", "--config", site.conf)
    assert served.returncode == 78 and f"{locks}: is not a directory that this user alone writes" in served.stderr


@pytest.mark.parametrize("name", [*WORKERS, *DAEMONS])
def test_command_line_a_wrong_configuration_ends_with_78(site, name):
    site.conf.write_text(site.conf.read_text().replace('url = "http://localhost"', 'url = "http://shop.example"'))
    done = run(name, "--config", site.conf)
    assert done.returncode == 78 and "site.url" in done.stderr and done.stdout == ""
    assert run(name, "--config", "/nonexistent").returncode == 78


def test_command_line_the_option_goes_before_the_environment(site):
    assert run("signin", "--check", "--config", site.conf, TOLLGATE_CONFIG="/nonexistent").returncode == 0


@pytest.mark.parametrize("listen", [[], ["--listen", "nothing"], ["--listen", ":9"], ["--listen", "/nonexistent/s"]])
def test_command_line_without_a_socket_the_status_is_71(site, listen):
    done = run("signin", "--config", site.conf, *listen)
    assert done.returncode == 71 and done.stderr


@pytest.mark.parametrize("url, header", [("https://shop.example", "max-age=31536000"), ("http://localhost", None)])
def test_over_https_browsers_are_told_to_stay_there(site, url, header):
    site.conf.write_text(site.conf.read_text().replace('url = "http://localhost"', 'url = "%s"' % url))
    with running(site, "signin") as program:
        page = fcgi.call(program.socket, "GET", "/signin", HTTP_HOST=url.partition("//")[2])
    assert page.status == 200 and page.header("Strict-Transport-Security") == header
