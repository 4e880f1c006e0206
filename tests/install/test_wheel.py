"""Ennio as people install it: from a wheel, without a network, away from the checkout."""

from __future__ import annotations

import http.client
import json
import os
import shlex
import subprocess
import tarfile
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from ennio import __version__
from tests.install.conftest import ROOT, Built, Installed


def tracked(*folders: str) -> set[str]:
    """What belongs to the sources, and not what was made beside them."""
    done = subprocess.run(
        ["git", "ls-files", "-z", *folders], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip("this is no clone: what belongs to the sources is not known")
    return {name for name in done.stdout.split("\0") if name and (ROOT / name).exists()}


def test_the_wheel_has_all_of_the_package_and_the_page(built: Built) -> None:
    names = set(zipfile.ZipFile(built.wheel).namelist())
    assert tracked("ennio") - names == set()
    page = {name for name in names if name.startswith("ennio/http/dashboard/dist/")}
    assert {Path(name).suffix for name in page} >= {".html", ".js", ".css", ".gz"}
    strangers = {name.split("/")[0] for name in names} - {"ennio"}
    assert {name.partition("-")[2] for name in strangers} == {f"{__version__}.dist-info"}


def test_the_sources_are_a_whole_checkout_with_the_page(built: Built) -> None:
    with tarfile.open(built.sources) as packed:
        members = {member.name.partition("/")[2]: member for member in packed.getmembers()}
    assert tracked() - members.keys() == set()
    assert "ennio/http/dashboard/dist/index.html" in members
    assert not [name for name in members if "node_modules" in name or name.endswith(".pyc")]
    programs = [name for name in tracked("bin") if os.access(ROOT / name, os.X_OK)]
    assert programs
    assert [name for name in programs if not members[name].mode & 0o100] == []


def test_installed_offline_it_plays_its_demo_away_from_the_checkout(installed: Installed) -> None:
    done = installed.ennio("demo", "--json")
    assert done.code == 0, done.err
    document = json.loads(done.out)
    assert document["ok"], document
    assert not any(installed.person.iterdir()), "the demo leaves nothing in a home"


def test_it_names_its_own_programs_to_whoever_is_to_call_it(installed: Installed) -> None:
    asked = "from ennio.machine import installation as i; print(i.program()); print(i.checkout())"
    done = installed.run(str(installed.bin / "python"), "-c", asked)
    program, checkout = done.out.splitlines()
    assert shlex.split(program) == [str(installed.bin / "ennio")]
    assert checkout == "None"
    for name in ("ennio", "ennio-supervisor", "ennio-node"):
        helped = installed.run(str(installed.bin / name), "--help")
        assert (helped.code, "usage: " in helped.out) == (0, True), helped.err


def test_its_supervisor_serves_the_page_and_its_doctor_finds_nothing_broken_of_its_own(
    installed: Installed, tmp_path: Path
) -> None:
    repository = tmp_path / "mine"
    installed.repository(repository)
    assert installed.ennio("init", cwd=repository).code == 0
    started = installed.ennio("start", "--detach", "--json", cwd=repository)
    assert started.code == 0, started.err
    try:
        where = urlsplit(started.document["url"])
        asked = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        asked.request("GET", "/", headers={"Accept": "text/html"})
        assert b"/assets/" in asked.getresponse().read()
        found = installed.ennio("doctor", "--json", cwd=repository).document
    finally:
        stopped = installed.ennio("stop", cwd=repository)
    assert stopped.code == 0, stopped.err
    broken = [one["what"] for one in found["findings"] if one["level"] == "broken"]
    assert [what for what in broken if not what.startswith("agent claude-code ")] == []
