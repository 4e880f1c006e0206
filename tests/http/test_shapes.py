"""One source for a shape: what is shown, what is documented and what is kept follow from
the fields of a dataclass.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import jsonschema
import pytest

from ennio.http.openapi.document import document
from ennio.http.openapi.schemas import COMPONENTS, object_schema, schema_of
from ennio.model.codec import shown
from ennio.model.pulls import CheckState
from ennio.model.shape import INTERNAL, SOMETIMES, wire, wire_fields

ROOT = Path(__file__).resolve().parents[2]
NEW = '    mood: str | None = field(default=None, metadata=wire("temper"))\n'
"""The one line that a new field of a session takes; its column is the other place."""
COLUMN = ("    no_signal = text_column(null=True)\n", "    mood = text_column(null=True)\n")
PROOF = """
import json, sqlite3, sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from ennio.actors.orchestrator.session_view import SessionView
from ennio.config.model import Project
from ennio.http.openapi.document import document
from ennio.model.clock import SystemClock
from ennio.model.codec import shown as as_json
from ennio.model.session import Session, SessionStatus
from ennio.policy.lifecycle.orders import fresh
from ennio.policy.turn import decide
from ennio.policy.turn_inputs import TurnInputs
from ennio.store import open_store

folder, now = Path(sys.argv[1]), datetime(2026, 1, 1, tzinfo=UTC)
open_store("sqlite:e.db", folder, SystemClock()).close()
with sqlite3.connect(folder / "e.db") as file:
    file.execute("ALTER TABLE sessions ADD COLUMN mood TEXT")
store = open_store("sqlite:e.db", folder, SystemClock())
store.projects.upsert(Project(id="p", name="p", repo="/r", path=folder, config_hash="c"))
store.sessions.insert(Session("p-1", "p", SessionStatus.WORKING, now, now, "c"))
store.sessions.save(replace(store.sessions.need("p-1"), mood="well"))
kept = store.sessions.need("p-1")
inputs = TurnInputs(kept, fresh(now))
shown = as_json(SessionView.of(inputs, decide(inputs, now)))
print(json.dumps([kept.mood, shown["temper"], document()["components"]["schemas"]["Session"]["properties"]["temper"]]))
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package with one more field of a session."""
    shutil.copytree(
        ROOT / "ennio", tmp_path / "ennio", ignore=shutil.ignore_patterns("__pycache__")
    )
    model = tmp_path / "ennio/model/session.py"
    source = model.read_text()
    last = "    metadata: Mapping[str, str] = field(default_factory=dict, metadata=INTERNAL)\n"
    assert last in source
    model.write_text(source.replace(last, last + NEW))
    tables = tmp_path / "ennio/store/tables.py"
    assert COLUMN[0] in tables.read_text()
    tables.write_text(tables.read_text().replace(COLUMN[0], "".join(COLUMN), 1))
    return tmp_path


def test_a_new_field_of_a_session_is_one_line_and_a_column(copy: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROOF, str(copy)],
        cwd=copy,
        env={"PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    kept, shown, documented = json.loads(done.stdout)
    assert (kept, shown) == ("well", "well")
    assert documented == {"anyOf": [{"type": "string"}, {"type": "null"}]}


@pytest.mark.parametrize(
    "name",
    ["no_signal", "restored_at", "tmux_name", "workspace_name", "message_waits", "silent_since"],
)
def test_no_field_of_a_session_is_written_down_again_by_the_api_or_the_store(name: str) -> None:
    places = [
        str(file.relative_to(ROOT))
        for folder in ("ennio/http", "ennio/store")
        for file in (ROOT / folder).rglob("*.py")
        if re.search(rf"\b{name}\b", file.read_text())
        and file.parent.name != "migrations"
        and file.name != "tables.py"
    ]
    assert places == []


@dataclass(frozen=True, slots=True)
class Inner:
    at: datetime


@dataclass(frozen=True, slots=True)
class Every:
    text: str
    money: Decimal | None
    where: Mapping[str, str]
    state: CheckState
    word: Literal["a", "b"]
    many: tuple[Inner, ...]
    anything: Mapping[str, Any]
    secret: str = field(metadata=INTERNAL)
    by: str = field(metadata=wire("author"))
    sometimes: int = field(metadata=SOMETIMES)


INNER = Inner(datetime(2026, 1, 1, tzinfo=UTC))
EVERY = Every(
    "t", Decimal("0.10"), {"a": "b"}, CheckState.PASSING, "a", (INNER,), {"x": 1}, "s3cret", "me", 1
)


def test_what_is_shown_is_what_its_schema_says() -> None:
    seen, schema = shown(EVERY), object_schema(Every, {})
    assert seen == {
        "text": "t",
        "money": "0.10",
        "where": {"a": "b"},
        "state": "passing",
        "word": "a",
        "many": [{"at": "2026-01-01T00:00:00.000000+00:00"}],
        "anything": {"x": 1},
        "author": "me",
        "sometimes": 1,
    }
    jsonschema.Draft202012Validator(schema).validate(seen)
    assert set(schema["properties"]) - set(schema["required"]) == {"sometimes"}


def test_a_named_class_is_referred_to_and_what_has_no_form_is_refused() -> None:
    assert schema_of(tuple[Inner, ...], {Inner: "Inner"}) == {
        "type": "array",
        "items": {"$ref": "#/components/schemas/Inner"},
    }
    with pytest.raises(TypeError, match="no JSON form"):
        schema_of(object, {})


def test_every_component_is_made_from_its_class() -> None:
    for cls, name in COMPONENTS.items():
        assert list(document()["components"]["schemas"][name]["properties"]) == [
            each.wire for each in wire_fields(cls)
        ]
