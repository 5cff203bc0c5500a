"""The README's lines for programs that ask the ledger, as they stand there, against this system."""
import json
import os
import re
import subprocess
from pathlib import Path

from test_people import owner  # noqa: F401: the fixture
from test_usage import program  # noqa: F401: the fixture

README = Path(__file__).resolve().parents[2] / "README.md"
ASKED = {"meter": "tokens", "units": 50}
GO = """package main
import ("fmt"; "io"; "net/http"; "os"; "strings")
%s
func main() {
	r, err := usage("reserve", os.Args[1], "go-17")
	if err != nil { panic(err) }
	b, _ := io.ReadAll(r.Body)
	fmt.Print(string(b))
}
"""
PHP = "%s echo json_encode(usage('reserve', json_decode($argv[1], true), 'php-17'));"


def lines(language, url):
    """The README's block about /api/usage in that language."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", README.read_text(), re.S | re.M)
    return next(text for name, text in blocks if name == language and "/api/usage" in text).replace(
        "https://app.example.com", url)


def run(environment, *command):
    done = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_c75_the_readmes_lines_hold_and_settle(program, stack, tmp_path):  # noqa: F811
    environment = {"KEY": program.key, "HOME": str(tmp_path), "GOCACHE": str(tmp_path / "go"), "GO111MODULE": "off"}
    calls = lines("", stack["url"])
    reserve, settle, ask = re.findall(r"^curl .*?(?:\n {4}.*?)?$(?=\ncurl|\n\Z|\Z)", calls, re.S | re.M)
    held = json.loads(run(environment, "sh", "-c", reserve.replace('"units": 500', '"units": 50')))
    assert held["ok"] and held["units"] == 50
    settle = settle.replace("…", held["id"], 1).replace('"units": 420', '"units": 20')
    done = json.loads(run(environment, "sh", "-c", settle))
    assert done["used"] == 20
    assert json.loads(run(environment, "sh", "-c", ask))["meters"][0]["used"] == 20
    names = {}
    exec("import os, requests\n" + lines("python", stack["url"]).replace('os.environ["KEY"]', repr(program.key)), names)
    held = names["usage"]("reserve", ASKED, "python-17")
    assert held["ok"] and names["usage"]("settle", {"id": held["id"], "units": 1})["used"] == 1
    for tool, command, source in (("go", ("go", "run"), GO), ("php", ("php", ), "<?php\n" + PHP)):
        file = tmp_path / f"usage.{tool}"
        file.write_text(source % lines(tool, stack["url"]))
        assert json.loads(run(environment, *command, str(file), json.dumps({**ASKED, "units": 5})))["ok"]
