"""Nobody sees a secret who was not given it: each place that others can read is
searched for every one of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ennio.http import address
from ennio.http.openapi.document import document
from ennio.model.errors import EnnioError
from tests.conftest import eventually
from tests.security.planted import AGENTS, SECRETS, Scene

Seen = Callable[[str], set[str]]
PRIVATE = ("bell.json", "opencode-api.json", address.TOKEN)
"""The files a secret lies in because somebody must be able to read it: of its owner alone."""


def made(scene: Scene) -> dict[str, str]:
    """The secrets Ennio made itself, by the file each lies in."""
    found = {}
    for name in PRIVATE:
        for path in scene.ground.home.glob(f"*/*/{name}"):
            told = (
                json.loads(path.read_text())
                if path.suffix == ".json"
                else {"token": path.read_text().strip()}
            )
            found[str(path)] = str(told.get("token") or told["password"])
    return found


@pytest.fixture(scope="module", autouse=True)
def stirred(scene: Scene) -> None:
    """Things go wrong before anybody looks: errors say more than they should."""
    client = scene.house.client
    for name in ("forge:hosted", "tracker:hosted", f"session:{scene.sessions['hosted']}"):
        client.post("/chaos/crash", {"actor": name})
    for path, body in (
        ("/sessions", {"project_id": "hosted", "prompt": "x", "branch": "a..b"}),
        ("/projects/hosted/pulls/99/merge", {}),
    ):
        with pytest.raises(EnnioError):
            client.post(path, body)
    with pytest.raises(EnnioError):
        client.post(f"/sessions/{scene.sessions['codex']}/restore")
    eventually(
        lambda: "Traceback" in scene.house.log.read_text(), 30, "what crashed left a traceback"
    )


@pytest.fixture(scope="module")
def secrets_in(scene: Scene, stirred: None) -> Seen:
    """Tells which secrets are in a text, by their names."""
    needles = {**SECRETS, **made(scene)}
    return lambda text: {name for name, value in needles.items() if value in text}


def test_there_is_something_to_be_found(scene: Scene, secrets_in: Seen) -> None:
    assert len(made(scene)) > len(AGENTS), "every session has a bell"
    assert secrets_in(scene.ground.note("hook-codex").read_text()) == {"CODEX_OWN_TOKEN"}


def test_no_secret_was_on_a_command_line_of_any_process_on_this_machine(
    scene: Scene, secrets_in: Seen
) -> None:
    written = scene.ground.argv_log.read_text(errors="replace")
    assert all(f"/{name} " in written for name in ("git", "tmux", "sh"))
    assert any("ennio.supervise" in line for line in scene.seen)
    for line in [*scene.seen, *written.splitlines()]:
        assert not secrets_in(line), re.sub("canary-[a-z0-9_-]+", "***", line)


def test_no_secret_is_in_the_log_though_tracebacks_are(scene: Scene, secrets_in: Seen) -> None:
    log = scene.house.log.read_text()
    assert "Traceback" in log
    assert secrets_in(log) == set()


def test_no_secret_is_in_the_bytes_of_the_database(scene: Scene, secrets_in: Seen) -> None:
    files = list(scene.ground.clone.glob("ennio.db*"))
    assert {path.name for path in files} >= {"ennio.db", "ennio.db-wal"}
    for path in files:
        assert secrets_in(path.read_bytes().decode(errors="replace")) == set(), path


def test_no_answer_of_the_api_has_a_secret_in_it(scene: Scene, secrets_in: Seen) -> None:
    texts = []
    for path in _readable(scene):
        query = {"all": True} if path == "/sessions" else {}
        try:
            texts.append(
                json.dumps(scene.house.client.document("GET", path, query), ensure_ascii=False)
            )
        except EnnioError as error:
            texts.append(str(error))
        assert secrets_in(texts[-1]) == set(), path
    assert len(texts) > 100
    for agent in AGENTS:
        preview = scene.house.client.post(
            "/sessions", {"project_id": agent, "prompt": "x"}, dry_run=True
        )
        assert secrets_in(json.dumps(preview)) == set(), agent


def _readable(scene: Scene) -> Iterator[str]:
    """Every GET of the API, about everything there is."""
    for template, item in document()["paths"].items():
        if "get" in item and template.startswith("/api/v1/") and not template.endswith("/stream"):
            for agent, session in scene.sessions.items():
                path = template.removeprefix("/api/v1")
                yield (
                    path.replace("{session_id}", session)
                    .replace("{project_id}", agent)
                    .replace("{number}", "1")
                )


@pytest.mark.parametrize(
    "words",
    [
        "config show", "config show --json", "doctor", "doctor --json", "status", "status --json", "events", "events --json", "queue list",
        "logs", "session list", "pr list", "session why {}", "session info {}", "messages {}", "logs {}", "--version",
    ],
)  # fmt: skip
def test_no_command_prints_a_secret(scene: Scene, secrets_in: Seen, words: str) -> None:
    for session in (
        [scene.sessions[which] for which in ("hosted", "failing")] if "{}" in words else ("",)
    ):
        done = scene.ground.ennio(*words.format(session).split())
        assert done.out or done.err
        assert secrets_in(done.out + done.err) == set()


def test_tmux_tells_no_secret_to_whoever_asks_it(scene: Scene, secrets_in: Seen) -> None:
    told = [
        scene.ground.tmux("show-environment", "-g"),
        scene.ground.tmux("show-options", "-g"),
        scene.ground.tmux("list-buffers"),
    ]
    fields = (
        "#{pane_start_command} #{pane_current_command} #{pane_title} #{pane_start_path} "
        "#{session_name}"
    )
    told.append(scene.ground.tmux("list-panes", "-a", "-F", fields))
    for name in scene.ground.terminals():
        told += [
            scene.ground.tmux("show-environment", "-t", name),
            scene.ground.tmux("capture-pane", "-p", "-S", "-", "-t", f"={name}:"),
        ]
    assert len(told) > 4
    assert all(done.returncode == 0 for done in told)
    assert secrets_in("".join(done.stdout for done in told)) == set()


def test_no_file_of_ennio_s_holds_a_secret_but_the_private_ones(
    scene: Scene, secrets_in: Seen
) -> None:
    looked = 0
    for path in _files(scene.ground.home, scene.ground.root / "person"):
        found = secrets_in(path.read_bytes().decode(errors="replace"))
        looked += 1
        if path.name in PRIVATE:
            assert found <= {str(path)}  # a launch since then has a new one
            assert path.stat().st_mode & 0o077 == 0, path
        elif path.name == "hooks.log":  # what a hook was given it may print, and this is where
            assert found <= {"FAILING_TOKEN"}
            assert path.stat().st_mode & 0o077 == 0, path
        else:
            assert found == set(), path
    assert looked > 20


def _files(*roots: Path) -> Iterator[Path]:
    for root in roots:
        yield from (path for path in root.rglob("*") if path.is_file() and not path.is_symlink())


def test_the_secret_a_hook_prints_is_not_passed_on_with_its_failure(scene: Scene) -> None:
    session = scene.house.session(scene.sessions["failing"])
    assert "logging in with ***" in session["reason"]
    log = scene.ground.home / "sessions" / session["id"] / "hooks.log"
    assert log.stat().st_mode & 0o077 == 0
