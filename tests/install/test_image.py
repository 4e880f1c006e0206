"""The image: where no engine builds it, its file is read as one would, and its steps are run in a
folder that stands in for its root.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.conftest import lacking
from tests.install.conftest import ROOT, Built
from tests.install.dockerfile import Stage, hidden, instructions, stages
from tests.install.test_wheel import tracked

IMAGE = stages((ROOT / "Dockerfile").read_text())
LAST = IMAGE[-1]
IGNORED = [
    line
    for line in (ROOT / ".dockerignore").read_text().splitlines()
    if line and not line.startswith("#")
]
PLACES = ("/src", "/opt/ennio", "/var/lib", "/work")


@pytest.mark.parametrize("text", ["RUN x", "FROM a\nRUMM x", "FROM a\nRUN", "FROM a\nRUN x \\\n"])
def test_what_an_engine_would_refuse_is_noticed(text: str) -> None:
    with pytest.raises(AssertionError):
        stages(text)
    assert [one.text for one in instructions("RUN a \\\n  # why\n  b\n")] == ["a   b"]


def test_the_image_is_the_documented_one() -> None:
    assert LAST.image == "debian:bookworm-slim"
    assert {"git", "tmux", "openssh-client", "python3", "tini"} <= set(LAST.packages)
    assert LAST.only("ENTRYPOINT").words == ["/usr/bin/tini", "--", "ennio"]
    assert LAST.only("CMD").words == ["--help"]
    assert LAST.only("VOLUME").words == [LAST.environment["ENNIO_HOME"]]
    assert LAST.environment["PATH"].startswith("/opt/ennio/bin:")


def test_nothing_runs_as_root_in_it() -> None:
    assert LAST.only("USER").text == "ennio"
    names = [one.name for one in LAST.instructions]
    assert not {"RUN", "COPY", "ADD"} & set(names[names.index("USER") :])


def test_it_is_built_of_all_that_a_wheel_is_made_of_and_of_nothing_made_beside_the_sources() -> (
    None
):
    wanted = [*tracked("ennio", "dashboard", "setup.py", "setup.cfg", "pyproject.toml")]
    wanted += ["README.md", "requirements.lock", "MANIFEST.in"]
    assert [path for path in wanted if hidden(path, IGNORED)] == []
    private = (".git/config", ".venv/bin/python", "ennio.yaml", "ennio.db-wal", "dist/a.whl")
    made = ("dashboard/node_modules/a/b.js", "ennio/__pycache__/a.pyc", "ennio.egg-info/PKG-INFO")
    assert [path for path in (*private, *made) if not hidden(path, IGNORED)] == []


def test_debian_has_every_package_of_it() -> None:
    packages = [name for stage in IMAGE for name in stage.packages]
    assert packages
    if shutil.which("apt-get") is None:
        lacking("there is no apt here: the packages of the image were NOT looked up")
    if not any(Path("/var/lib/apt/lists").glob("*Packages*")):
        subprocess.run(["apt-get", "update", "-qq"], check=False)  # a fresh image has no lists
    done = subprocess.run(
        ["apt-get", "install", "--simulate", "--no-install-recommends", "-y", *packages],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _context(built: Built, root: Path) -> None:
    """What ``COPY . /src`` brings, and the page of the stage before."""
    shutil.unpack_archive(built.sources, root / "unpacked")  # 3.11.2, Debian's, has no filter
    (unpacked,) = (root / "unpacked").iterdir()
    for path in [path for path in unpacked.rglob("*") if path.is_file()]:
        name = str(path.relative_to(unpacked))
        page = name.startswith("ennio/http/dashboard/dist/")
        if page or not hidden(name, IGNORED):
            place = root / "src" / name
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, place)


def _inside(root: Path, text: str) -> str:
    """The same step with its folders below that root, and its user's rights as ours."""
    owned = text.replace("-o ennio -g ennio", f"-o {os.getuid()} -g {os.getgid()}")
    users = re.sub(r"\buseradd\b", f"useradd --prefix {root}", owned)
    users = users if os.getuid() == 0 else re.sub(r"useradd [^&]*", "true ", users)
    return re.sub(rf"(?<![\w.])({'|'.join(PLACES)})\b", rf"{root}\1", users)


def test_its_steps_lead_to_programs_that_run(built: Built, tmp_path: Path) -> None:
    _context(built, tmp_path)
    for folder in ("etc", "opt", "var/lib/apt/lists", "home"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("passwd", "group", "shadow", "gshadow"):
        (tmp_path / "etc" / name).touch()
    more = tmp_path / "more"  # what pip builds with, which an engine would fetch by itself
    pip = ("python3", "-m", "pip", "wheel", "-q", "-w", str(more), "setuptools>=68")
    subprocess.run(pip, check=True, cwd=tmp_path, capture_output=True)
    apt = tmp_path / "apt" / "apt-get"
    apt.parent.mkdir()
    apt.write_text("#!/bin/sh\nexit 0\n")  # its packages are looked up by another test
    apt.chmod(0o755)
    env = os.environ | {"PATH": f"{apt.parent}:{os.environ['PATH']}"}
    env |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": f"{built.house} {more}", "PIP_NO_COMPILE": "1"}
    for stage in IMAGE[1:]:
        _run(stage, tmp_path, env)

    place = LAST.environment["PATH"].split(":")[0]
    for program in (LAST.only("ENTRYPOINT").words[-1], "ennio-node"):
        told = {"HOME": str(tmp_path), "PATH": f"{tmp_path}{place}:/usr/bin:/bin"}
        done = subprocess.run(
            [program, *LAST.only("CMD").words],
            env=told,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, "usage: " in done.stdout) == (0, True), done.stderr
    page = "lib/*/site-packages/ennio/http/dashboard/dist/index.html"
    assert list((tmp_path / "opt" / "ennio").glob(page)), "the page is in it"
    assert (tmp_path / LAST.environment["ENNIO_HOME"][1:]).stat().st_mode & 0o777 == 0o700


def _run(stage: Stage, root: Path, env: dict[str, str]) -> None:
    for text in stage.texts("RUN"):
        step = _inside(root, text)
        done = subprocess.run(
            ["/bin/sh", "-c", step], env=env, cwd=root, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, f"{step}: {done.stdout}{done.stderr}"
