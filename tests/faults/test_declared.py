"""What acts on the world is declared as a fail point where it stands, and whoever looks
would notice if it were not.
"""

from __future__ import annotations

import ast
import inspect
from pathlib import Path
from typing import Protocol

import pytest

from ennio.actors.orchestrator import APIS
from ennio.model.failpoints import DECLARED, failpoint, install
from ennio.plugins.agent import interface as agent
from ennio.plugins.forge import interface as forge
from ennio.plugins.github.client import name_of
from ennio.plugins.notifier import interface as notifier
from ennio.plugins.predictor import interface as predictor
from ennio.plugins.runtime import interface as runtime
from ennio.plugins.terminal import interface as terminal
from ennio.plugins.tracker import interface as tracker
from ennio.plugins.workspace import interface as workspace
from tests.faults import declared, points
from tests.faults.plan import Fuse

ROOT = Path(__file__).resolve().parents[2] / "ennio"
INTERFACES = [
    kind
    for module in (agent, notifier, predictor, runtime, forge, terminal, tracker, workspace)
    for kind in vars(module).values()
    if inspect.isclass(kind)
    and kind.__module__ == module.__name__
    and getattr(kind, "_is_protocol", False)
]


def _sources(*folders: str) -> dict[str, str]:
    return {
        str(file): file.read_text() for folder in folders for file in (ROOT / folder).rglob("*.py")
    }


def _declared(kind: type, slot: str) -> set[str]:
    """The methods of a class that its source declares, by whatever name."""
    tree = ast.parse(inspect.getsource(kind)).body[0]
    assert isinstance(tree, ast.ClassDef)
    marks = (f"failpoint('{slot}.", f'failpoint("{slot}.')
    functions = [node for node in tree.body if isinstance(node, ast.FunctionDef)]
    return {
        one.name
        for one in functions
        if any(ast.unparse(mark).startswith(marks) for mark in one.decorator_list)
    }


@pytest.mark.parametrize("kind", INTERFACES, ids=lambda kind: kind.__name__)
def test_every_method_of_a_slot_that_answers_nothing_is_a_fail_point(kind: type) -> None:
    assert declared.commands(kind, _declared(kind, kind.__module__.split(".")[-2])) == []


def test_everything_a_changing_request_asks_for_is_a_fail_point() -> None:
    sources = _sources("http/resources")
    methods = {
        f"{noun}.{name}"
        for noun, kind in APIS.items()
        for name, what in vars(kind).items()
        if inspect.isfunction(what)
    }
    points = {f"{noun}.{name}" for noun, kind in APIS.items() for name in _declared(kind, "order")}
    looks = {"sessions.need", "sessions.detail", "projects.need", "projects.known"}
    looks |= {"pulls.undelivered"}
    assert len(declared.orders(sources, methods - looks, ())) > 20
    assert declared.orders(sources, methods - looks, points) == []


def test_everything_that_is_sent_to_github_is_a_fail_point() -> None:
    sources = _sources("plugins/github", "plugins/forge/github") | _sources("plugins/tracker")
    ours = {path: source for path, source in sources.items() if "linear" not in path}
    assert sum(source.count("client.send(") for source in ours.values()) > 10
    assert declared.sending(ours) == []
    points.declared()
    assert declared.mutations(ours, DECLARED) == []


def test_everything_the_stand_in_of_github_answers_is_a_fail_point() -> None:
    from tests.github.standin.rest import Rest

    points.declared()
    for method, pattern, _ in Rest(None, "").routes:  # type: ignore[arg-type] # it is not asked anything
        path = pattern.replace("(?:[^/]+/[^/]+)", "acme/shop").replace(r"(\d+)", "1")
        assert f"request.{name_of(method, path)}" in DECLARED


def test_a_declared_table_is_one_of_the_database() -> None:
    points.declared()
    assert {name.removeprefix("commit.") for name in DECLARED if name.startswith("commit.")} <= set(
        points.tables()
    )


def test_what_is_not_declared_is_noticed() -> None:
    class Door(Protocol):
        def slam(self) -> None: ...

        def colour(self) -> str: ...

    assert declared.commands(Door, ()) == ["Door.slam answers nothing and is no fail point"]
    assert declared.commands(Door, ("slam",)) == []
    order, look = "self._orchestrator.doors.slam(1)", "self._orchestrator.doors.look(1)"
    handler = (
        f"class A:\n    def on_post_slam(self):\n        {order}\n    def on_get(self):\n        "
        f"{look}"
    )
    assert len(declared.orders({"a.py": handler}, ("doors.slam", "doors.look"), ())) == 1
    assert declared.orders({"a.py": handler}, ("slam", "look"), ("slam",)) == []
    sends = "def slam(self):\n    self.client.send('PUT', at)"
    assert len(declared.sending({"a.py": sends})) == 1
    assert declared.sending({"a.py": f"@asks('put.doors')\n{sends}"}) == []
    assert declared.mutations({"a.py": "'mutation Slam($door: ID!)'"}, ()) == [
        "a.py: the mutation Slam is no fail point"
    ]


def test_a_declaration_costs_nothing_without_a_fuse_and_a_fuse_comes_first(tmp_path: Path) -> None:
    def slam() -> None:
        """It is not called."""

    try:
        assert failpoint("door.slam")(slam) is slam
    finally:
        del DECLARED["door.slam"]
    with pytest.raises(RuntimeError, match=r"imported before the fuse.*workspace\.create"):
        install(Fuse((), tmp_path))  # type: ignore[arg-type] # it guards nothing
