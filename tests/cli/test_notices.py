"""``ennio notices``, ``ennio notify`` and what ``ennio doctor`` says of channels."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ennio.cli.doctor import channels
from ennio.cli.doctor.finding import Level
from ennio.config.model import Config, Defaults, NotifierConfig, Project, Route
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.plugins.registry import Registry
from tests.cli.conftest import Api
from tests.notices.hook_server import HookServer, Reply

WHEN = "2026-01-01T00:00:00+00:00"
NOTICE: dict[str, Any] = {
    "id": "n-1", "event_type": "reaction_triggered", "priority": "urgent", "session_id": "ma-1",
    "project_id": "my-app", "message": "ma-1: the agent asks\nMay I?", "at": WHEN,
    "reaction": "agent-needs-input", "fingerprint": "f", "channels": ["events", "bell", "ops"],
    "sent": ["events", "bell"], "failed": {"ops": "hooks.example refused it (404)"},
    "refused": ["ops"], "attempts": 1, "done_at": WHEN, "resolved_at": None, "folds": None,
}  # fmt: skip


def test_notices_shows_who_was_told_what_and_who_was_not(api: Api) -> None:
    api.on("GET", "/notifications", [NOTICE, NOTICE | {"resolved_at": WHEN, "failed": {}}])
    done = api.ennio("notices")
    assert done.code == 0, done.err
    head, first, second, reason = done.out.splitlines()
    assert head.split() == ["AT", "PRIORITY", "SESSION", "STATE", "TOLD", "ON", "MESSAGE"]
    for word in ("urgent", "ma-1", "failed", "bell", "the agent asks"):
        assert word in first
    assert first.endswith("the agent asks May I?")
    assert "resolved" in second
    assert reason.endswith(" ma-1, on ops: hooks.example refused it (404)")


def test_failed_ones_are_asked_for_and_nothing_is_said_plainly(api: Api) -> None:
    api.on("GET", "/notifications", [])
    assert "every channel took what it was told" in api.ennio("notices", "--failed").out
    assert api.last[2]["failed"] in ("True", "true")
    assert "nobody was told anything" in api.ennio("notices").out
    assert api.ennio("notices", "--json").document == []


def test_a_channel_is_tested_by_the_supervisor(api: Api) -> None:
    api.on("POST", "/notifiers/my%20phone/test", "told")
    api.on("POST", "/notifiers/my phone/test", "told")
    done = api.ennio("notify", "test", "my phone", "--json")
    assert done.document == {"channel": "my phone", "result": "told"}
    words = "hooks.example answered 503"
    api.on("POST", "/notifiers/ops/test", words, status=504, error="Unreachable")
    failed = api.ennio("notify", "test", "ops")
    assert failed.code == 1
    assert "hooks.example answered 503" in failed.err


def test_channels_are_listed_with_what_waits(api: Api) -> None:
    bell = {"name": "bell", "plugin": "desktop", "waiting": 3, "error": "no daemon"}
    api.on("GET", "/notifiers", [bell])
    out = api.ennio("notify", "list").out
    assert all(word in out for word in ("bell", "desktop", "3", "no daemon"))
    api.on("GET", "/notifiers", [])
    assert "docs/notices.md" in api.ennio("notify", "list").out


# --- doctor ---------------------------------------------------------------------------------------


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    return Registry(Home(tmp_path), SystemClock(), directory=tmp_path)


def test_doctor_probes_each_channel_and_says_how_to_try_it(registry: Registry) -> None:
    with HookServer() as server:
        hook = NotifierConfig("webhook", "ops", {"url": f"{server.url}/s3cr3t"})
        finding = channels.channel(hook, registry)
        assert finding is not None
        assert finding.level is Level.FINE
        assert "127.0.0.1 answers" in finding.what
        assert server.posts() == []
    down = channels.channel(NotifierConfig("webhook", "off", {"url": f"{server.url}/s3"}), registry)
    assert down is not None
    assert down.level is Level.WARNING
    assert "mend its settings" in down.fix
    assert "ennio notify test off" in down.fix
    assert "s3" not in down.what
    missing = NotifierConfig("command", "tell", {"argv": ["no-such-program-here"]})
    broken = channels.channel(missing, registry)
    assert broken is not None
    assert broken.level is Level.BROKEN
    assert "ennio notify test tell" in broken.fix


def test_doctor_says_that_nobody_is_told(tmp_path: Path) -> None:
    config = Config(source=tmp_path / "e.yaml", directory=tmp_path)
    finding = channels.unrouted(config)
    assert finding is not None
    assert "defaults: {notifiers: [desktop]}" in finding.what
    told = Config(
        source=config.source, directory=tmp_path, defaults=Defaults(notifiers=("desktop",))
    )
    project = Project(
        id="a", name="a", repo="./a", path=tmp_path,
        notification_routing={"anomaly": Route(("desktop",))},
    )  # fmt: skip
    routed = Config(source=config.source, directory=tmp_path, projects=(project,))
    assert channels.unrouted(told) is channels.unrouted(routed) is None


def test_doctor_doubts_an_address_where_nothing_is(registry: Registry) -> None:
    with HookServer() as server:
        server.otherwise = Reply(404)
        found = channels.channel(NotifierConfig("webhook", "ops", {"url": server.url}), registry)
        assert found is not None
        assert found.level is Level.WARNING
        assert "404" in found.what


def test_doctor_says_where_buttons_lead_that_no_phone_reaches(tmp_path: Path) -> None:
    project = Project(id="shop", name="shop", repo="./a", path=tmp_path, answer=True)
    here = Config(source=tmp_path / "ennio.yaml", directory=tmp_path, projects=(project,))
    found = channels.buttons(here)
    assert found is not None
    assert (found.level, "public_url" in found.fix) == (Level.WARNING, True)
    assert channels.buttons(replace(here, public_url="https://x.example")) is None
    assert channels.buttons(replace(here, projects=(replace(project, answer=False),))) is None


def test_a_channel_that_is_quiet_says_until_when(api: Api) -> None:
    quiet = {"name": "bell", "plugin": "desktop", "waiting": 3, "error": None, "quiet_until": WHEN}
    api.on("GET", "/notifiers", [quiet])
    assert "quiet until 20" in api.ennio("notify", "list").out
