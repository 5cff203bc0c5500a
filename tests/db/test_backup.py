"""README.md's commands for a backup and for its restore, run as they stand there."""
import re
import subprocess

from test_tollgate import ROOT, TOLLGATE, Site, server  # noqa: F401: the fixture
from test_upgrade import OLD, UPGRADE, dump, psql


def commands():
    """Those of the block that begins with pg_dump."""
    text = (ROOT / "README.md").read_text()
    block = next(b for b in re.findall(r"^```[a-z]*\n(.*?)^```$", text, re.M | re.S) if "pg_dump" in b)
    return [line for line in block.splitlines() if not line.startswith("#")]


def here(command, site, name, backup):
    """The command for a database of a private server."""
    for there, this in (("sudo -u postgres ", ""), ("/var/backups/tollgate.dump", str(backup)),
                        ("/usr/share/tollgate/schema", str(ROOT / "schema")),
                        ("tollgate migrate", f"{TOLLGATE} migrate --config {site.conf}")):
        command = command.replace(there, this)
    return re.sub(r"(?<=[ =])tollgate$|(?<=dbname=)tollgate", name, command)


def run(command, site):
    done = subprocess.run(command, shell=True, capture_output=True, text=True,
                          env={"PGHOST": site.server, "PGUSER": "postgres", "PATH": "/usr/bin:/bin"})
    assert done.returncode == 0, command + "\n" + done.stderr


def test_a_backup_is_restored_by_the_commands_of_the_readme(server, tmp_path):  # noqa: F811
    site = Site(server, tmp_path, "lost")
    site.configure(site.conninfo, ROOT / "schema")
    psql(site, ROOT / "schema/roles.sql")
    psql(site, UPGRADE / (OLD[-1] + ".sql"))
    assert site.migrate().returncode == 0
    before, tenants = dump(site), site.ask("select count(*) from app.tenants")
    assert tenants[0][0] > 0
    backup, *restore = commands()
    run(here(backup, site, "lost", tmp_path / "a.dump"), site)
    site.configure(site.conninfo.replace("dbname=lost", "dbname=found"), ROOT / "schema")
    for command in restore:
        run(here(command, site, "found", tmp_path / "a.dump"), site)
    site.conninfo = site.conninfo.replace("dbname=lost", "dbname=found")
    after = dump(site)
    assert [line for line in after if "lost" not in line and "found" not in line] == [
        line for line in before if "lost" not in line and "found" not in line]
    assert site.run("status").returncode == 0
