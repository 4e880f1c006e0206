"""What the package is built on is declared: where it is used already, or
as an extra until it is.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

from tests.architecture import imports

ROOT = Path(__file__).parents[1]
FRAME = {
    "pykka",
    "gevent",
    "paramiko",
    "grpcio",
    "pyyaml",
    "marshmallow",
    "peewee",
    "falcon",
    "gunicorn",
    "nats-python",
    "blessed",
}
NAMED_OTHERWISE = {
    "inotify_simple": "inotify-simple",
    "yaml": "pyyaml",
    "grpc": "grpcio",
    "google": "protobuf",
    "prometheus_client": "prometheus-client",
    "opentelemetry": "opentelemetry-sdk",
    "pynats": "nats-python",
    "genai_prices": "genai-prices",
}
"""Distributions whose module has another name."""


def _declared(*sections: str) -> dict[str, str]:
    """Name and bound of everything these sections of setup.cfg require; comments left out."""
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    blocks = [setup["options"]["install_requires"]] if "install" in sections else []
    extras = setup["options.extras_require"]
    blocks += [extras[name] for name in extras if name != "test" and "extras" in sections]
    lines = [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]
    found = [re.fullmatch(r"([A-Za-z0-9_.-]+)(\[\w+\])?(.*)", line) for line in lines if line]
    return {match[1].lower(): match[3] for match in found if match}


def _imported() -> set[str]:
    found = (
        name
        for file in (ROOT / "ennio").rglob("*.py")
        for _, name in imports(str(file.relative_to(ROOT)), file.read_text(encoding="utf-8"))
    )
    return {name.split(".")[0] for name in found} - sys.stdlib_module_names - {"ennio"}


def test_every_package_of_the_frame_is_declared_with_the_least_version_that_was_tried() -> None:
    declared = _declared("install", "extras")
    assert FRAME - declared.keys() == set()
    assert [name for name in FRAME if not re.match(r"[>~]=", declared[name])] == []


def test_what_was_tested_together_holds_all_that_an_installation_needs() -> None:
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {line.partition("==")[0].lower().replace("_", "-") for line in lines if "==" in line}
    assert _declared("install").keys() - locked == set()


def test_whatever_is_imported_is_declared_and_whatever_is_installed_is_imported() -> None:
    imported = {NAMED_OTHERWISE.get(name, name) for name in _imported()}
    assert imported - _declared("install", "extras").keys() == set()
    assert _declared("install").keys() - imported == set()
