"""What a program of a sandboxed agent tries in vain; a real one, in one session for all."""

from __future__ import annotations

import ctypes
import json
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ennio.hosts.brief import SandboxSpec
from ennio.model.isolation import NetworkAccess
from ennio.plugins.agent import hook
from tests.conftest import need
from tests.sandbox.attempts import ATTEMPTS
from tests.sandbox.bench import SECRET, Bench, bench, listening, python

NAMES = [attempt.__name__ for attempt in ATTEMPTS]
LEFT_OPEN = ("reach_an_abstract_socket", "reach_the_port_of_the_supervisor")
"""What `network: host` is: the machine's own, with all that listens on it."""


@pytest.fixture(scope="module")
def ground() -> Iterator[tuple[Bench, dict[str, Any]]]:
    """The machine with everything that could be reached, and where it is."""
    need("tmux")
    with bench() as made:
        tmux = str(made.root / "tmux.sock")
        subprocess.run(["tmux", "-S", tmux, "-f/dev/null", "new-session", "-d"], check=True)
        sleeper = subprocess.Popen(["sleep", "600"], env={"OUTSIDE": SECRET})
        abstract = f"ennio-{uuid.uuid4().hex}"
        other = made.root / "other.git"
        made.git("clone", "-q", "--bare", ".", str(other))
        _key()
        (made.home.root / "run" / "x").mkdir(parents=True)
        (made.home.session("another")).mkdir(parents=True)
        try:
            with (
                listening(str(made.root / "docker.sock")),
                listening("\0" + abstract),
                listening(("127.0.0.1", 0)) as port,
            ):
                yield (
                    made,
                    {
                        "person": str(made.person),
                        "repository": str(made.repository),
                        "hub": str(made.hub),
                        "other_hub": str(other),
                        "home": str(made.home.root),
                        "hook_program": hook.__file__,
                        "outside_pid": sleeper.pid,
                        "tmux": tmux,
                        "docker": str(made.root / "docker.sock"),
                        "abstract": abstract,
                        "port": port.getsockname()[1],
                    },
                )
        finally:
            sleeper.kill()
            sleeper.wait()
            subprocess.run(["tmux", "-S", tmux, "kill-server"], check=False)


def _key() -> None:
    """A key that every process of ours has, as one of a login."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall(248, b"user", b"ennio-test", SECRET.encode(), len(SECRET), -4)


def _tried(ground: tuple[Bench, dict[str, Any]], name: str, network: NetworkAccess | None) -> Any:
    made, facts = ground
    shared = made.home.session(name) / "agent"
    shared.mkdir(parents=True)
    (shared / "attempts.py").write_text(Path(__file__).with_name("attempts.py").read_text())
    (shared / "facts.json").write_text(json.dumps({**facts, "folder": str(shared.parent)}))
    argv = python(str(shared / "attempts.py"), str(shared / "facts.json"))
    return made.run(made.brief(name, argv, None if network is None else SandboxSpec(network)))


@pytest.fixture(scope="module")
def apart(ground: tuple[Bench, dict[str, Any]]) -> Any:
    return _tried(ground, "apart", NetworkAccess.LOOPBACK)


@pytest.fixture(scope="module")
def on_the_network(ground: tuple[Bench, dict[str, Any]]) -> Any:
    return _tried(ground, "networked", NetworkAccess.HOST)


@pytest.mark.parametrize("name", NAMES)
def test_nothing_leads_out(apart: Any, name: str) -> None:
    assert name in apart["refused"], f"it got {apart['got'][name]}"


@pytest.mark.parametrize("name", [name for name in NAMES if name not in LEFT_OPEN])
def test_nothing_leads_out_by_the_network_of_the_machine(on_the_network: Any, name: str) -> None:
    assert name in on_the_network["refused"], f"it got {on_the_network['got'][name]}"


@pytest.mark.parametrize("name", LEFT_OPEN)
def test_the_network_of_the_machine_is_all_of_it(on_the_network: Any, name: str) -> None:
    assert on_the_network["got"][name] == SECRET


HARMLESS = [
    "read_the_keys_of_the_person",
    "see_anything_in_the_home_of_the_person",
    "read_what_is_untracked_in_the_repository",
    "write_the_configuration_of_the_repository",
    "write_a_hook_of_the_hub",
    "read_the_token_of_its_own_hook",
    "see_the_rest_of_its_own_folder",
    "see_other_sessions",
    "see_the_run_folder_of_the_supervisor",
    "leave_by_the_root_of_another_process",
    "find_a_secret_in_any_environment",
    "see_processes_outside",
    "make_as_many_processes_as_it_likes",
    "become_more_than_it_is",
    "reach_tmux_by_its_socket",
    "reach_docker",
    "reach_an_abstract_socket",
    "reach_the_port_of_the_supervisor",
    "push_to_another_repository_through_the_door",
]
"""What can be tried without walls and does no harm to the machine of the tests."""


@pytest.fixture(scope="module")
def without_walls(ground: tuple[Bench, dict[str, Any]]) -> Any:
    made, facts = ground
    return _tried((made, {**facts, "only": HARMLESS}), "bare", None)


@pytest.mark.parametrize("name", HARMLESS)
def test_without_a_sandbox_it_is_had(without_walls: Any, name: str) -> None:
    """So that each of these would notice if a wall fell."""
    assert name in without_walls["got"], without_walls["refused"][name]


def test_an_agent_can_work_commit_push_and_fetch(
    ground: tuple[Bench, dict[str, Any]], apart: Any
) -> None:
    works, made = apart["works"], ground[0]
    assert [works[f"git {verb}"] for verb in ("add", "commit", "push", "fetch")] == [0] * 4, works
    assert works["leads"] == works["pid"], "it leads a kernel session of its own"
    assert works["terminal"]
    assert made.git("log", "-1", "--format=%an %s", "apart", cwd=made.hub) == "Person Work"


def test_only_what_is_listed_is_in_its_environment(apart: Any) -> None:
    listed = {"PATH", "HOME", "USER", "LANG", "TERM", "PWD", "SHLVL", "LC_CTYPE", "OLDPWD", "_"}
    ours = ("ENNIO_", "GIT_CONFIG_")
    more = [name for name in apart["works"]["env"] if name not in listed]
    assert [name for name in more if not name.startswith(ours)] == []
