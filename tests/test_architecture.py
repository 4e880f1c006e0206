"""The rules of the house hold, and whoever checks them would notice if they did not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import architecture as rules

ROOT = Path(__file__).resolve().parents[1]

WALLS = (
    # an actor's loop: the bug ends the actor and is told to its supervisor
    "ennio/actors/actor.py",
    "ennio/http/envelope.py",  # the map of errors: the bug becomes a 500
    # the end of a call from elsewhere: the bug becomes an answer that nothing is known
    "ennio/hosts/calls.py",
    "ennio/node/server.py",  # the same over gRPC: the bug becomes INTERNAL
    # the end of a connection that was upgraded: a 500 would be written among its frames
    "ennio/http/resources/terminals.py",
    "ennio/store/announcer.py",  # the fan-out of events: one listener's bug is not the others'
)
LONG: dict[str, str] = {
    "ennio/store/tables.py": "every table, declared at one place",
    "ennio/plugins/forge/local/forge.py": "the whole of one slot",
}
SHARED: dict[str, str] = {}
"""Names that several classes still have."""


def _sources(folder: str) -> dict[str, str]:
    files = [file for file in (ROOT / folder).rglob("*.py") if "_pb2" not in file.name]
    return {str(file.relative_to(ROOT)): file.read_text(encoding="utf-8") for file in sorted(files)}


_APART = {
    "a program of ours that runs on that machine by itself": """
        agent/hook agent/stdin_file runtime/launch workspace/walk
        """,
    "the daemon of terminals and its client in a terminal, which run on that machine": """
        runtime/ptyd/attach runtime/ptyd/daemon runtime/ptyd/protocol runtime/ptyd/pty_process
        runtime/ptyd/server_socket runtime/ptyd/state_file
        """,
    "the scripted agent itself, which runs on that machine": """
        agent/scripted/child agent/scripted/git_steps agent/scripted/model_request agent/scripted/player agent/scripted/report
        agent/scripted/story agent/scripted/terminal
        """,
    "a pipe to a kept process at hand; where there is none to be had a command asks": """
        runtime/tmux_control runtime/tmux_stream
        """,
    "whose a git is, is known by the process at hand that began it": "git_orphans",
    "what is installed beside the interpreter that asks": "entry_points",
    "who makes plugins for no other machine makes them for this one": "registry",
    "takes the guard of JSON alone, which reads nothing": """
        agent/claude_cost agent/claude_trust
        """,
    "a story lies beside the configuration, which is here": "agent/scripted/agent",
    "not yet": """
        agent/screen
        """,
}
AT_HAND = {
    **{f"ennio/plugins/{name}.py": why for why, names in _APART.items() for name in names.split()},
}
"""What still reaches for the machine at hand instead of the one it was given, and why:
this only becomes shorter.
"""
HOUSE = _sources("ennio")
TESTS = _sources("tests")


def test_every_part_of_the_package_stands_in_a_layer() -> None:
    assert rules.placeless(HOUSE) == []


def test_imports_never_climb() -> None:
    assert rules.climbs(HOUSE) == []


def test_plugins_know_other_slots_by_their_interfaces_only() -> None:
    assert rules.slot_mixing(HOUSE) == []


def test_decisions_are_pure_and_plugins_schedule_nothing() -> None:
    assert rules.machinery(HOUSE) == []


def test_actors_ask_their_hosts_and_never_the_machine() -> None:
    assert rules.reaching(HOUSE) == []


def test_an_actor_that_reaches_for_the_machine_is_noticed() -> None:
    for source in ("import os", "from pathlib import Path", "def late():\n    import psutil"):
        assert len(rules.reaching({"ennio/actors/root.py": source})) == 1
    assert rules.reaching({"ennio/hosts/plugin_host.py": "import os"}) == []


def test_agents_runtimes_workspaces_and_hosts_work_on_the_machine_they_were_given() -> None:
    assert rules.at_hand(HOUSE, AT_HAND) == []


@pytest.mark.parametrize(
    "source",
    [
        "import os",
        "from subprocess import run",
        "def late():\n    import psutil",
        "import sqlite3",
        "import socket",
        "from ennio.machine.local import LocalMachine",
        "from ennio.machine.files import write_atomically",
        "def look(path):\n    return path.exists()",
        "def look(path):\n    return (path / 'HEAD').read_text()",
    ],
)
def test_who_reaches_for_the_machine_at_hand_is_noticed_and_so_is_an_idle_excuse(
    source: str,
) -> None:
    for place in (
        "ennio/plugins/workspace/clone.py",
        "ennio/plugins/git.py",
        "ennio/hosts/reader.py",
    ):
        assert len(rules.at_hand({place: source}, {})) == 1
        assert rules.at_hand({place: source}, {place: "not yet"}) == []
    assert rules.at_hand({"ennio/plugins/forge/local/forge.py": source}, {}) == []
    asked = "def look(machine, path):\n    return machine.stat([path])"
    assert rules.at_hand({"ennio/hosts/reader.py": asked}, {}) == []
    assert rules.at_hand(
        {"ennio/hosts/reader.py": asked}, {"ennio/hosts/reader.py": "not yet"}
    ) == ["ennio/hosts/reader.py is excused and need not be"]


def test_the_api_asks_the_orchestrator_and_nobody_behind_it() -> None:
    assert rules.past_the_orchestrator(HOUSE) == []


def test_a_way_past_the_orchestrator_is_noticed() -> None:
    for way in (
        "from ennio.store import Store",
        "import ennio.plugins.registry",
        "house.store.x()",
        "a.deps.plugins",
        "from ennio.actors import queue",
    ):
        assert rules.past_the_orchestrator({"ennio/http/resources/a.py": way}), way
    assert not rules.past_the_orchestrator(
        {"ennio/http/a.py": "from ennio.actors.orchestrator import X", "ennio/boot.py": "x.store"}
    )


def test_everything_is_caught_at_the_walls_only() -> None:
    assert rules.broad_excepts(HOUSE, WALLS) == []


def test_every_wall_is_there() -> None:
    assert [wall for wall in WALLS if wall not in HOUSE] == []


def test_incident_37_nothing_that_supervises_is_a_model_or_asks_one() -> None:
    assert rules.foreign(HOUSE) == []
    assert rules.model_calls(HOUSE) == []
    assert rules.model_requirements((ROOT / "setup.cfg").read_text(encoding="utf-8")) == []
    assert [name for name in rules.LIBRARIES if rules.MODEL_CLIENTS.search(name)] == []


def test_every_file_is_named_for_what_is_in_it() -> None:
    assert rules.nameless([*HOUSE, *TESTS]) == []


def test_one_name_is_one_class() -> None:
    assert rules.shared_names(HOUSE, SHARED) == []


def test_a_class_of_a_name_that_is_taken_is_noticed_and_so_is_an_idle_excuse() -> None:
    one, two = (
        "class Place: ...\nclass _Row: ...\n",
        "def made():\n    class Place: ...\nclass _Row: ...\n",
    )
    assert rules.shared_names({"ennio/a.py": one, "ennio/b.py": two}, {}) == [
        "Place is ennio/a.py:1 and ennio/b.py:2"
    ]
    assert rules.shared_names({"ennio/a.py": one, "ennio/b.py": two}, {"Place": "not yet"}) == []
    assert rules.shared_names({"ennio/a.py": one}, {"Place": "not yet"}) == [
        "Place is excused and need not be"
    ]


def test_no_module_outgrows_a_sitting() -> None:
    assert rules.oversized(HOUSE, 400, LONG) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ennio/model/session.py", "from ennio.config.model import Config"),
        ("ennio/policy/lifecycle/step.py", "from ennio.store import Store"),
        ("ennio/store/events.py", "import ennio.actors.orchestrator"),
        ("ennio/store/events.py", "from ennio.plugins.registry import Registry"),
        ("ennio/plugins/git.py", "from ennio import store"),
        ("ennio/actors/root.py", "def late():\n    from ennio.http import client"),
        (
            "ennio/http/app.py",
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from ennio import boot",
        ),
        ("ennio/http/app.py", "from ..cli import main"),
        ("ennio/http/app.py", "from importlib import import_module\nimport_module('ennio.boot')"),
        ("ennio/http/serve.py", "import pkgutil\npkgutil.resolve_name('ennio.boot:boot')"),
        ("ennio/cli/verbs/status.py", "from ennio.store import open_store"),
        ("ennio/board/loop.py", "from ennio.actors.orchestrator import Orchestrator"),
        ("ennio/demo/play.py", "from ennio.boot import boot"),
    ],
)
def test_a_climb_is_noticed(path: str, source: str) -> None:
    assert len(rules.climbs({path: source})) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ennio/config/load.py", "from ennio.model.errors import ConfigError"),
        ("ennio/policy/lifecycle/step.py", "from ennio.model.facts import ProcessSeen"),
        ("ennio/store/events.py", "from ennio.store.row_table import EventRow"),
        (
            "ennio/boot.py",
            "from ennio.actors.root import RootSupervisor\nfrom ennio.store import open_store",
        ),
        ("ennio/cli/main.py", "from ennio import __version__"),
        ("ennio/cli/verbs/demo.py", "from ennio.demo import main"),
    ],
)
def test_a_step_down_is_no_climb(path: str, source: str) -> None:
    assert rules.climbs({path: source}) == []


def test_a_part_without_a_place_is_noticed() -> None:
    assert rules.placeless({"ennio/__init__.py": "", "ennio/cellar/door.py": ""}) == [
        "ennio.cellar stands in no layer"
    ]


def test_a_slot_that_reaches_into_another_is_noticed() -> None:
    assert rules.slot_mixing(
        {"ennio/plugins/agent/codex.py": "from ennio.plugins.runtime.tmux import Tmux"}
    )
    assert rules.slot_mixing({"ennio/plugins/agent/codex.py": "from ennio.plugins import runtime"})
    assert not rules.slot_mixing(
        {"ennio/plugins/agent/codex.py": "from ennio.plugins.runtime.interface import Key"}
    )
    assert not rules.slot_mixing(
        {"ennio/plugins/agent/codex.py": "from ennio.plugins.agent.flags import fault"}
    )
    assert not rules.slot_mixing(
        {"ennio/plugins/registry.py": "from ennio.plugins.runtime.interface import Runtime"}
    )


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("ennio/policy/reactions/decide.py", "import subprocess"),
        ("ennio/config/load.py", "import socket as s"),
        ("ennio/model/clock.py", "from gevent.event import Event"),
        ("ennio/plugins/git.py", "import gevent"),
        ("ennio/store/store.py", "from pykka import ActorRef"),
    ],
)
def test_a_decision_that_acts_is_noticed(path: str, source: str) -> None:
    assert len(rules.machinery({path: source})) == 1


def test_what_acts_may_act() -> None:
    assert (
        rules.machinery(
            {"ennio/plugins/git.py": "import subprocess", "ennio/actors/actor.py": "import gevent"}
        )
        == []
    )


@pytest.mark.parametrize(
    "source",
    [
        "import anthropic",
        "from openai import OpenAI",
        "def look():\n    from litellm import completion",
        "import importlib\nimportlib.import_module('google.genai')",
    ],
)
def test_incident_37_a_client_of_a_model_is_noticed(source: str) -> None:
    assert len(rules.foreign({"ennio/actors/watchdog.py": source})) == 1


def test_incident_37_prices_are_read_at_one_place_and_never_fetched() -> None:
    source = "import genai_prices"
    assert rules.foreign({"ennio/policy/ledger/prices.py": source}) == []
    assert len(rules.foreign({"ennio/actors/watchdog.py": source})) == 1
    assert [
        path for path, text in HOUSE.items() if "UpdatePrices" in text or "update_prices" in text
    ] == []


@pytest.mark.parametrize(
    "source",
    [
        "URL = 'https://api.openai.com/v1'",
        "http.request('POST', f'{base}/v1/messages', body)",
        "pool.urlopen('POST', '/v1/chat/completions')",
        "HOST = 'localhost:11434'",
    ],
)
def test_incident_37_a_question_to_a_model_is_noticed(source: str) -> None:
    assert len(rules.model_calls({"ennio/actors/watchdog.py": source})) == 1


def test_incident_37_a_requirement_that_brings_a_model_is_noticed() -> None:
    setup = (
        "[options]\ninstall_requires =\n    # why\n    pykka~=4.5\n    Anthropic>=1  # a watchdog\n"
    )
    setup += "[options.extras_require]\ntest =\n    litellm\n"
    assert rules.model_requirements(setup) == ["Anthropic>=1", "litellm"]


@pytest.mark.parametrize(
    "handler",
    [
        "except:",
        "except Exception:",
        "except BaseException as e:",
        "except (OSError, Exception):",
        "except Exception as bug:",
    ],
)
def test_a_handler_that_swallows_everything_is_noticed(handler: str) -> None:
    source = f"try:\n    work()\n{handler}\n    pass\n"
    assert len(rules.broad_excepts({"ennio/machine/home.py": source}, WALLS)) == 1
    assert rules.broad_excepts({WALLS[0]: source}, WALLS) == []


def test_a_handler_that_raises_again_swallows_nothing() -> None:
    assert (
        rules.broad_excepts(
            {
                "ennio/machine/home.py": "try:\n    work()\nexcept BaseException:\n    undo()\n  "
                "  raise\n"
            },
            (),
        )
        == []
    )
    assert (
        rules.broad_excepts(
            {"ennio/machine/home.py": "try:\n    work()\nexcept OSError:\n    pass\n"}, ()
        )
        == []
    )


def test_a_name_that_says_nothing_is_noticed() -> None:
    assert rules.nameless(
        ["ennio/utils.py", "ennio/common/text.py", "tests/helpers.py", "ennio/model/session.py"]
    ) == [
        "ennio/utils.py",
        "ennio/common/text.py",
        "tests/helpers.py",
    ]


def test_a_long_module_and_an_excuse_too_many_are_noticed() -> None:
    sources = {"ennio/a.py": "\n" * 401, "ennio/b.py": "\n" * 400}
    assert rules.oversized(sources, 400, {}) == ["ennio/a.py is longer than 400 lines"]
    assert rules.oversized(sources, 400, {"ennio/a.py": "why"}) == []
    assert rules.oversized(sources, 400, {"ennio/a.py": "why", "ennio/b.py": "why"}) == [
        "ennio/b.py is excused and need not be"
    ]
