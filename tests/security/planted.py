"""A house full of secrets that are told apart: whoever shows one later, shows whose it
was and where it came from.

Each is the value of a variable of the supervisor's environment; the configuration
names them by ``${VAR}``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from ennio.http import client as http
from ennio.machine.home import Home
from ennio.model.clock import ManualClock, SystemClock
from tests.conftest import eventually, need
from tests.e2e.house import Ground, Supervised, close, configure, ground_at, project, repository
from tests.github import published
from tests.github.standin.hub import Hub
from tests.github.standin.server import Server as GitHub
from tests.linear import standin as linear

OURS = (
    "ENNIO_API_TOKEN",
    "SCORE_GITHUB_TOKEN",
    "SCORE_WEBHOOK_SECRET",
    "LINEAR_API_KEY",
    "SLACK_WEBHOOK_URL",
)
"""Of Ennio itself: no agent, hook or check may have one."""
STRANGE = ("GITHUB_TOKEN", "AWS_SECRET_ACCESS_KEY", "DEPLOY_KEY", "SOMETHING_ELSE")
"""In the environment by chance, as on anybody's machine."""
KEYS = (
    "ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENCODE_API_KEY", "CODEX_API_KEY",
    "DEEPSEEK_API_KEY",
)  # fmt: skip
"""Of agents: each has those its plugin declares."""
AGENTS: Mapping[str, frozenset[str]] = {
    "claude-code": frozenset({"ANTHROPIC_API_KEY", "CLAUDE_CODE_OAUTH_TOKEN"}),
    "codex": frozenset({"OPENAI_API_KEY", "CODEX_API_KEY"}),
    "opencode": frozenset(
        {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "GEMINI_API_KEY", "OPENCODE_API_KEY"}
    ),
    "aider": frozenset(
        {"ANTHROPIC_API_KEY", "OPENAI_API_KEY", "DEEPSEEK_API_KEY", "GEMINI_API_KEY"}
    ),
    "command": frozenset(),
    "scripted": frozenset(),
}
"""The keys each kind of agent is documented to be given; written down here once more, so
that adding one is noticed.
"""
PROGRAMS = {"claude-code": "claude", "codex": "codex", "opencode": "opencode", "aider": "aider"}


def own(agent: str) -> str:
    """The variable whose value is the secret of one project, in its ``env`` as OWN_TOKEN."""
    return f"{agent.upper().replace('-', '_')}_OWN_TOKEN"


SECRETS = {
    name: f"canary-{name.lower()}-4f1d"
    for name in (*OURS, *STRANGE, *KEYS, *map(own, AGENTS), "FAILING_TOKEN", "HOSTED_TOKEN")
}
SECRETS["SLACK_WEBHOOK_URL"] = "https://hooks.example/canary-slack-4f1d"
SECRETS["LINEAR_API_KEY"] = linear.KEY

TOOLS = {
    "GNUPGHOME": "/nowhere/keys",
    "CURL_CA_BUNDLE": "/nowhere/ca.pem",
    "GIT_SSH_COMMAND": "ssh -i /nowhere/key",
    "LC_TIME": "C",
}
"""No secrets: without them a person's tools do not find their files or their server."""


class Planted(Ground):
    """A ground whose environment holds every secret."""

    __slots__ = ()

    @property
    def env(self) -> dict[str, str]:
        return super().env | SECRETS | TOOLS

    @property
    def argv_log(self) -> Path:
        return self.root / "argv.log"

    def note(self, name: str) -> Path:
        """Where a hook or a check writes its environment to."""
        return self.root / f"{name}.env"


class Armed(Supervised):
    """A supervised house that is asked with the configured token, which stands in no file."""

    __slots__ = ()

    @property
    def client(self) -> http.ApiClient:
        return http.find(
            self.ground.config, Home(self.ground.home), lambda: SECRETS["ENNIO_API_TOKEN"]
        )


@dataclass(frozen=True, slots=True)
class Scene:
    """The house, what runs in it by agent, and every command line that was seen meanwhile."""

    house: Supervised
    ground: Planted
    sessions: Mapping[str, str]
    seen: set[str]


def _programs(ground: Planted) -> None:
    """Programs of the agents' names that only live, and what writes down the command
    lines of git, tmux and sh.
    """
    folder = ground.root / "bin"
    folder.mkdir()
    for name in PROGRAMS.values():
        (folder / name).write_text(
            '#!/bin/sh\n[ "$1" = --version ] && echo 1.0 && exit\nexec sleep 3600\n'
        )
    for name in ("git", "tmux", "sh"):
        (folder / name).write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$0 $*" >>{ground.argv_log}\nexec {need(name)} "$@"\n'
        )
    for made in folder.iterdir():
        made.chmod(0o755)


def _projects(ground: Planted, github: GitHub, board: linear.Linear) -> list[dict[str, Any]]:
    hosted = project(
        ground, "hosted", repo=github.git, env={"OWN_TOKEN": "${HOSTED_TOKEN}"},
        scm_config={
            "plugin": "github",
            "config": {
                "owner": "acme", "repo": "shop", "token": "${SCORE_GITHUB_TOKEN}", "webhook_secret": "${SCORE_WEBHOOK_SECRET}",
                "api_url": github.api, "pace": 0.02,
            },
        },
        tracker_config={"plugin": "linear", "config": {"api_key": "${LINEAR_API_KEY}", "api_url": board.url, "team": "ENG"}},
    )  # fmt: skip
    agents = [
        project(
            ground, agent, agent=agent, env={"OWN_TOKEN": f"${{{own(agent)}}}"}, post_create=[("env " f">{ground.note(f'hook-{agent}')}")],
            runtime="process" if agent in ("aider", "command") else "tmux",
            agent_config={"passthrough": {"command": {"argv": ["sleep", "3600"]}, "scripted": {"speed": 20}}.get(agent, {})},
            scm_config={"plugin": "local", "config": {"checks": [{"name": "look", "run": "env " f">{ground.note(f'check-{agent}')}"}]}},
        )
        for agent in AGENTS
    ]  # fmt: skip
    failing = project(
        ground,
        "failing",
        env={"OWN_TOKEN": "${FAILING_TOKEN}"},
        post_create=['echo "logging in with $OWN_TOKEN"; exit 3'],
    )
    return [hosted, *agents, failing]


class _Watch:
    """Reads every command line on the machine again and again, as anybody could."""

    def __init__(self) -> None:
        self.seen: set[str] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._over.wait(0.05):
            for place in Path("/proc").glob("[0-9]*/cmdline"):
                with suppress(OSError):
                    self.seen.add(place.read_bytes().replace(b"\0", b" ").decode(errors="replace"))

    def close(self) -> None:
        self._over.set()
        self._thread.join()


@contextmanager
def planted(root: Path) -> Iterator[Scene]:
    """The house with an agent of every kind, work on a GitHub and a Linear, checks, hooks,
    and one thing that fails.
    """
    published.graphql_schema()
    published.openapi()
    hub, board = Hub(root / "github", SystemClock()), linear.Linear(ManualClock())
    hub.token = SECRETS["SCORE_GITHUB_TOKEN"]
    github, boards = GitHub(hub), linear.Server(board)
    board.add("ENG-7", "Write down what you know", "All of it.")
    watch = _Watch()
    try:
        with ground_at(root / "ground") as bare:
            ground = Planted(
                bare.root, bare.socket, f"{bare.root / 'bin'}{os.pathsep}{os.environ['PATH']}"
            )
            repository(ground)
            ground.git("push", "--quiet", "--force", github.git, "HEAD:main")
            _programs(ground)
            notifiers = [
                {
                    "plugin": "stub",
                    "name": "told",
                    "config": {"webhook_url": "${SLACK_WEBHOOK_URL}"},
                }
            ]
            configure(
                ground,
                *_projects(ground, github, board),
                api_token="${ENNIO_API_TOKEN}",
                notifiers=notifiers,
            )
            yield from _played(ground, hub, watch)
    finally:
        watch.close()
        github.close()
        boards.close()


def _played(ground: Planted, hub: Hub, watch: _Watch) -> Iterator[Scene]:
    house = Armed(ground)
    house.start()
    try:
        sessions = {agent: house.spawn("Do it", agent) for agent in AGENTS}
        sessions |= {
            "failing": house.spawn("Do it", "failing"),
            "hosted": house.spawn("And quickly", "hosted", issue_id="ENG-7"),
        }
        eventually(lambda: hub.pulls, 60, "the pull request on GitHub is open")
        eventually(ground.note("check-scripted").exists, 60, "a check has run")
        eventually(
            lambda: {sessions[agent] for agent in AGENTS} <= set(ground.agents()),
            60,
            f"every agent lives: {ground.agents()}",
        )
        eventually(
            lambda: "exit code 3" in str(house.session(sessions["failing"])["reason"]),
            30,
            "its hook failed",
        )
        yield Scene(house, ground, sessions, watch.seen)
        close(house)
    finally:
        if house.process is not None and house.process.poll() is None:
            house.kill_everything()
        for pid in ground.processes():
            with suppress(psutil.Error):
                psutil.Process(pid).kill()
