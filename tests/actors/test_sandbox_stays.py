"""A session that began in a sandbox stays in it, whatever the file says by then."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from ennio.actors.session_context import ISOLATION, brief
from ennio.config.model import Project
from ennio.config.sandbox import Sandbox
from ennio.hosts.brief import SandboxSpec
from ennio.model.isolation import IsolationKind, NetworkAccess
from ennio.model.session import Session, SessionStatus

NOW = datetime(2026, 1, 1, tzinfo=UTC)
PLAIN = Project(id="app", name="app", repo="/srv/app.git", path=Path("/srv/app"))
APART = Project(
    id="app",
    name="app",
    repo="/srv/app.git",
    path=Path("/srv/app"),
    isolation=IsolationKind.BUBBLEWRAP,
    sandbox=Sandbox(NetworkAccess.LOOPBACK),
)


def _session(**noted: str) -> Session:
    return Session(
        id="app-1",
        project_id="app",
        status=SessionStatus.WORKING,
        created_at=NOW,
        last_activity_at=NOW,
        config_hash="x",
        metadata=noted,
    )


def test_its_sandbox_is_that_of_the_project() -> None:
    assert brief(_session(), APART).sandbox == SandboxSpec(NetworkAccess.LOOPBACK)
    assert brief(_session(), PLAIN).sandbox is None


def test_one_that_began_in_a_sandbox_stays_in_it() -> None:
    noted = {ISOLATION: str(IsolationKind.BUBBLEWRAP)}
    assert brief(_session(**noted), PLAIN).sandbox == SandboxSpec()
