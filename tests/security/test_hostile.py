"""Whatever an agent, a forge, a client or a repository hands over: it is taken, or refused with
words, and nothing breaks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from ennio.actors.dependencies import Dependencies
from ennio.actors.registry import ActorRegistry
from ennio.actors.spawning import SpawnRequest
from ennio.actors.webhooks import received
from ennio.config.load import load
from ennio.config.model import AgentConfig, Config, PluginChoice, Project, Symlink
from ennio.hosts.plugin_host import PluginHost
from ennio.machine.home import Home
from ennio.machine.local import LocalMachine
from ennio.model.clock import SystemClock
from ennio.model.errors import ConfigError, EnnioError, Invalid
from ennio.model.facts import Facts, Presence, ProcessSeen
from ennio.model.local_forge import ForgeStore
from ennio.model.session import ID_PATTERN
from ennio.plugins.agent.aider import Aider
from ennio.plugins.agent.claude_code import ClaudeCode
from ennio.plugins.agent.codex import Codex
from ennio.plugins.agent.command import CommandAgent
from ennio.plugins.agent.interface import Agent, AgentContext
from ennio.plugins.agent.opencode import OpenCode
from ennio.plugins.agent.words import FRAME, plain
from ennio.plugins.registry import Registry
from ennio.plugins.tracker.local import LocalTracker, LocalTrackerSettings
from ennio.plugins.workspace import links
from ennio.store import open_store
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator
from tests.properties import examples

NOW = datetime(2026, 3, 1, tzinfo=UTC)
ALIVE = ProcessSeen(Presence.ALIVE, NOW, "test", pid=7, number=1)
QUICK = settings(
    max_examples=examples(150),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

ODD = st.sampled_from([
    10**400, -(10**400), 1e308, float("inf"), float("-inf"), float("nan"), 2**63, -1, 0, True, "", "\ud800", "\x00", "x" * 5000,
    "../../etc/passwd", "-rf", "$(id)", "${HOME}", "\u202e", "{prompt}", "9999-12-31T23:59:59Z", "0001-01-01", [], {}, None,
])  # fmt: skip
LEAF = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(st.characters(), max_size=8)
    | ODD
)
JSON = st.recursive(
    LEAF,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=8,
)


def like(*shapes: Mapping[str, Any]) -> st.SearchStrategy[Any]:
    """One of these lines as its writer would write it, with something odd in some of its places."""
    return st.one_of([_bent(shape) for shape in shapes])


def _bent(shape: Any) -> st.SearchStrategy[Any]:
    inner = st.just(shape)
    if isinstance(shape, Mapping):
        inner = st.fixed_dictionaries({key: _bent(item) for key, item in shape.items()})
    if isinstance(shape, list):
        inner = st.lists(st.one_of([_bent(item) for item in shape]), max_size=2)
    # mostly as it should be: who gets lost at the first step never reaches what lies behind it
    return st.sampled_from([inner, inner, inner, ODD, JSON]).flatmap(lambda chosen: chosen)


def _lines(entries: list[Any]) -> bytes:
    return (
        b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
        + b"[" * 50_000
        + b"\n\xff\xfe{}\n"
    )


# --- what an agent writes down about itself -------------------------------------------------------

HOOKS = like(
    {"t": 1.0, "launch": "1", "hook_event_name": "Stop", "last_assistant_message": "done"},
    {
        "t": 1.0,
        "launch": "1",
        "hook_event_name": "PermissionRequest",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    },
    {
        "t": 1.0,
        "hook_event_name": "PreToolUse",
        "tool_name": "AskUserQuestion",
        "tool_input": {"questions": [{"question": "?"}]},
    },
    {"t": 1.0, "launch": "1", "hook_event_name": "StopFailure", "error": "overloaded"},
    {"t": 1.0, "launch": "1", "hook_event_name": "Waiting"},
)
CLAUDE = like(
    {
        "type": "assistant",
        "timestamp": "2026-03-01T00:00:00Z",
        "message": {"id": "m", "model": "opus", "usage": {"input_tokens": 1}},
    },
    {
        "type": "user",
        "timestamp": "2026-03-01T00:00:00Z",
        "message": {"content": [{"text": "[Request interrupted by user"}]},
    },
)
CODEX = like(
    {
        "type": "event_msg",
        "timestamp": "2026-03-01T00:00:00Z",
        "payload": {"type": "task_complete", "error": {"message": "x"}},
    },
    {
        "type": "event_msg",
        "timestamp": 1.0,
        "payload": {"type": "token_count", "info": {"total_token_usage": {"input_tokens": 1}}},
    },
    {
        "type": "event_msg",
        "payload": {
            "type": "item_completed",
            "item": {"type": "UserMessage", "content": [{"text": "x"}]},
        },
    },
    {"type": "turn_context", "payload": {"model": "gpt"}},
)
AIDER = like(
    {
        "event": "message_send",
        "time": 1,
        "properties": {"prompt_tokens": 1, "completion_tokens": 1, "cost": 0.1},
    }
)
OPENCODE = like(
    {
        "role": "assistant",
        "time": {"created": 1},
        "cost": 0.1,
        "modelID": "m",
        "tokens": {"input": 1, "cache": {"read": 1}},
    },
    {
        "role": "assistant",
        "time": {"created": 1, "completed": 2},
        "error": {"name": "x", "data": {"message": "x"}},
    },
    {"role": "user", "time": {"created": 1}},
)


def _desk(folder: Path) -> AgentContext:
    for name in ("w", "d", "h"):
        (folder / name).mkdir(exist_ok=True)
    return AgentContext(
        "s-1",
        "p",
        folder / "w",
        folder / "d",
        "c0ffee",
        AgentConfig(),
        home=folder / "h",
        machine=LocalMachine(),
    )


def _claude(desk: AgentContext, hooks: list[Any], entries: list[Any]) -> Agent:
    (desk.directory / "hooks.jsonl").write_bytes(_lines(hooks))
    (desk.directory / "cost.json").write_text(
        json.dumps({"total": entries[0] if entries else None})
    )
    transcript = desk.home / ".claude/projects/x/c0ffee.jsonl"
    transcript.parent.mkdir(parents=True)
    transcript.write_bytes(_lines(entries))
    return ClaudeCode()


def _codex(desk: AgentContext, _hooks: list[Any], entries: list[Any]) -> Agent:
    day = desk.home / ".codex/sessions/2026/03/01"
    day.mkdir(parents=True)
    meta = {"type": "session_meta", "payload": {"id": "x", "cwd": str(desk.workspace)}}
    (day / "rollout-1.jsonl").write_bytes(_lines([meta, *entries]))
    (day / "rollout-2.jsonl").write_bytes(b"[" * 50_000 + b"\n")
    return Codex()


def _aider(desk: AgentContext, hooks: list[Any], entries: list[Any]) -> Agent:
    (desk.directory / "hooks.jsonl").write_bytes(_lines(hooks))
    (desk.directory / "aider.events.jsonl").write_bytes(_lines(entries))
    told = b"# 0001-01-01 00:00:00\n+x\n# 9999-12-31 23:59:59\n+\xff\n# " + b"9" * 5000 + b"\n+y\n"
    (desk.directory / "aider.input.history").write_bytes(told)
    return Aider()


def _opencode(desk: AgentContext, _hooks: list[Any], entries: list[Any]) -> Agent:
    file = desk.home / ".local/share/opencode/opencode.db"
    file.parent.mkdir(parents=True)
    with closing(sqlite3.connect(file)) as made, made:
        made.executescript(
            "CREATE TABLE session (id, directory, parent_id, time_updated);"
            "CREATE TABLE message (id, session_id, time_created, time_updated, data);"
            "CREATE TABLE part (message_id, session_id, time_created, data)"
        )
        made.execute("INSERT INTO session VALUES ('c', ?, NULL, 1)", [str(desk.workspace)])
        texts = [*map(json.dumps, entries), "[" * 50_000, ""]
        made.executemany("INSERT INTO message VALUES (?, 'c', 1, 1, ?)", list(enumerate(texts)))
        made.executemany(
            "INSERT INTO part VALUES (1, 'c', 99999999999999, ?)", [[text] for text in texts]
        )
    return OpenCode()


WRITERS: list[tuple[Callable[[AgentContext, list[Any], list[Any]], Agent], st.SearchStrategy[Any]]] = [
    (_claude, CLAUDE), (_codex, CODEX), (_aider, AIDER), (_opencode, OPENCODE),
]  # fmt: skip
NAMES = ["claude-code", "codex", "aider", "opencode"]


@pytest.mark.parametrize(("write", "entry"), WRITERS, ids=NAMES)
def test_nothing_an_agent_writes_breaks_who_reads_it_or_the_store(
    orchestrator: SmallOrchestrator,
    write: Callable[[AgentContext, list[Any], list[Any]], Agent],
    entry: st.SearchStrategy[Any],
) -> None:
    store, screen = orchestrator.store, "x\n> \n"
    session = orchestrator.sessions.spawn(SpawnRequest("my-app", prompt="Do it."))

    @QUICK
    @given(st.lists(HOOKS, max_size=3), st.lists(entry, max_size=4))
    def judged(hooks: list[Any], entries: list[Any]) -> None:
        with tempfile.TemporaryDirectory() as folder:
            desk = _desk(Path(folder))
            agent = write(desk, hooks, entries)
            reading = agent.observe(desk, {}, ALIVE, screen, NOW)
            again = agent.observe(desk, reading.cursor, ALIVE, screen, NOW)
            agent.received(desk, "words", NOW)
        for seen in (reading.seen, again.seen):
            facts = Facts(agent=seen)
            store.facts.save(session.id, facts)
            assert store.facts.get(session.id) == facts
            told = replace(session, usage=seen.usage, summary=seen.summary)
            store.sessions.save(told)
            assert store.sessions.need(session.id) == told
            assert max(map(len, (seen.question or "", seen.detail, seen.summary or ""))) <= 4000

    judged()


# --- words for an agent ---------------------------------------------------------------------------

WORDS = st.text(st.characters(), max_size=40) | st.sampled_from([
    "-rf", "--dangerously-skip-permissions", "--", "!id", "/exit", "#x", "&x", "$(id)", "`id`", "'; id; '", '"', "\\", "a\nb\r\nc",
    "\x1b[201~", "{prompt}{session}", "%s", "#{pane_id}", ";", "x" * 200_000,
])  # fmt: skip
COMMAND = AgentConfig(passthrough={"argv": ["tool", "--say={prompt}", "last"]})
SPEAKERS: list[tuple[Agent, AgentConfig]] = [
    (ClaudeCode(), AgentConfig()), (Codex(), AgentConfig()), (OpenCode(), AgentConfig()), (Aider(), AgentConfig()),
    (CommandAgent(COMMAND), COMMAND),
]  # fmt: skip


@pytest.mark.parametrize(("agent", "config"), SPEAKERS, ids=[agent.name for agent, _ in SPEAKERS])
def test_a_prompt_stays_one_argument_whatever_it_says(
    tmp_path: Path, agent: Agent, config: AgentConfig
) -> None:
    desk = AgentContext("s-1", "p", tmp_path, tmp_path, "c0ffee", config, machine=LocalMachine())
    usual = list(agent.launch(desk, "PLAIN").argv)

    @QUICK
    @given(WORDS)
    @example("\x00")
    @example("\ud800")
    def judged(prompt: str) -> None:
        try:
            command = agent.launch(desk, prompt)
        except Invalid as error:
            assert str(error).startswith("prompt: ")  # noqa: PT017 - every outcome is right
            return
        except ConfigError as error:
            assert "too long" in str(error)  # noqa: PT017
            return
        argv = list(command.argv)
        if not command.carries and agent.name != "command":
            assert (
                argv == [word for word in usual if "PLAIN" not in word and word != "--"]
                or argv == usual
            )
            return
        assert len(argv) == len(usual)
        for at, (word, mould) in enumerate(zip(argv, usual, strict=True)):
            assert mould != "PLAIN" or "--" in usual[:at], (
                "what begins with a dash would be read as an option"
            )
            assert word == mould or re.fullmatch(
                f"(?:{FRAME}| )?{re.escape(mould)}".replace("PLAIN", ".*"), word, re.DOTALL
            ), word
            assert (
                word == mould or prompt.lstrip(" ") in word or plain(prompt).lstrip(" ") in word
            ), word

    judged()


# --- names that become paths ----------------------------------------------------------------------


@QUICK
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60))
@example("../../etc")
@example(".")
@example("a/b")
@example("-x")
def test_no_name_of_a_project_leads_out_of_the_home(tmp_path: Path, name: str) -> None:
    file = tmp_path / "ennio.yaml"
    file.write_text(
        json.dumps({"projects": [{"name": name.replace("${", "$"), "repo": "/r", "path": "/r"}]}),
        encoding="utf-8",
    )
    try:
        (project,) = load(file, {}).projects
    except ConfigError as error:
        assert error.problems[0].path == "projects[0].name"  # noqa: PT017 - both outcomes are right
        return
    assert ID_PATTERN.match(project.id)
    assert ID_PATTERN.match(project.session_prefix)
    home = Home(tmp_path / "home")
    places = (
        home.forge(project.id),
        home.workspace("clone", project.id, "s"),
        home.session(f"{project.session_prefix}-1"),
    )
    assert all(len(place.resolve().relative_to(home.root).parts) >= 2 for place in places)


TARGETS = st.lists(
    st.sampled_from(
        ["..", ".", "a", "out", "deep", ".git", ".GIT", "", "~", "\n", "x\\y", "-x", "*"]
    ),
    max_size=5,
)


@QUICK
@given(TARGETS, st.booleans())
def test_no_link_of_a_project_is_made_outside_of_its_workspace_or_in_git(
    tmp_path: Path, deps: list[str], absolute: bool
) -> None:
    """An agent may have put links of its own in the way: ``out`` leads out, ``deep/out`` too."""
    with tempfile.TemporaryDirectory(dir=tmp_path) as folder:
        root = Path(folder)
        for place in ("project", "outside", "workspace/.git", "workspace/deep"):
            (root / place).mkdir(parents=True)
        (root / "project/source").touch()
        for link in ("workspace/out", "workspace/deep/out"):
            (root / link).symlink_to(root / "outside")
        target = "/".join(deps)
        wanted = Symlink(
            Path("source"), Path(f"{root / 'outside'}/{target}" if absolute else target)
        )
        try:
            links.place(LocalMachine(), [wanted], root / "workspace", root / "project")
        except EnnioError as error:
            assert "symlink" in str(error)  # noqa: PT017 - both outcomes are right
        assert not list((root / "outside").iterdir())
        assert not list((root / "workspace/.git").iterdir())
        assert sorted(path.name for path in root.iterdir()) == ["outside", "project", "workspace"]


@pytest.fixture
def tracker(tmp_path: Path) -> Iterator[LocalTracker]:
    (tmp_path / "app/issues").mkdir(parents=True)
    (tmp_path / "secret.md").write_text("# canary\n")
    (tmp_path / "app/issues/7.md").write_text("# seven\n")
    (tmp_path / "app/issues/8.md").symlink_to(tmp_path / "secret.md")
    store = open_store("sqlite:ennio.db", tmp_path, SystemClock())
    book: ForgeStore = store.forge
    yield LocalTracker(
        Project(id="app", name="app", repo="/r", path=tmp_path / "app"),
        book,
        SystemClock(),
        LocalTrackerSettings(),
    )
    store.close()


BENT = [
    "../../secret",
    "8",
    "7",
    "../issues/7",
    "/etc/passwd",
    "7\n",
    "7/../8",
    "*",
    "?",
    "~",
    "#7",
    "\ud800",
]
IDS = st.text(max_size=20) | st.sampled_from(BENT)


@QUICK
@given(IDS)
def test_no_issue_is_read_from_outside_of_its_folder(tracker: LocalTracker, issue_id: str) -> None:
    try:
        assert tracker.issue(issue_id).title == "seven"
    except EnnioError as error:
        assert "issue" in str(error)  # noqa: PT017 - both outcomes are right


# --- what comes over HTTP -------------------------------------------------------------------------

SECRET = "of-the-hook"


@pytest.fixture
def deps(tmp_path: Path) -> Iterator[Dependencies]:
    given = {"api_url": "http://127.0.0.1:9", "token": "t", "webhook_secret": SECRET}
    project = Project(
        id="shop",
        name="shop",
        repo="git@github.com:acme/shop.git",
        path=tmp_path,
        forge=PluginChoice("github", given),
    )
    config = Config(source=tmp_path / "ennio.yaml", directory=tmp_path, projects=(project,))
    store, home, clock = (
        open_store("sqlite::memory:", tmp_path, SystemClock()),
        Home(tmp_path / "home"),
        SystemClock(),
    )
    plugins = Registry(home, clock)
    yield Dependencies(
        config, home, clock, store, plugins, ActorRegistry(), PluginHost(plugins, home, clock)
    )
    store.close()


DELIVERIES = like(
    {
        "repository": {"full_name": "acme/shop"},
        "pull_request": {"number": 1, "head": {"ref": "b"}},
        "action": "edited",
    },
    {"repository": {"full_name": "acme/shop"}, "issue": {"number": 1, "pull_request": {}}},
    {
        "repository": {"full_name": "acme/shop"},
        "check_run": {"pull_requests": [{"number": 1}], "head_sha": "a", "head_branch": "b"},
    },
    {"repository": {"full_name": "acme/shop"}, "ref": "refs/heads/b", "sha": "a"},
)
KINDS = st.sampled_from(
    [
        "pull_request",
        "pull_request_review",
        "issue_comment",
        "check_run",
        "check_suite",
        "status",
        "push",
        "x",
    ]
)


@QUICK
@given(KINDS, DELIVERIES.map(lambda value: json.dumps(value).encode()) | st.binary(max_size=50))
@example("push", b"[" * 50_000)
@example("push", b'{"repository": 1}')
@example(
    "check_run", b'{"repository": {"full_name": "acme/shop"}, "check_run": {"pull_requests": 1}}'
)
def test_no_delivery_however_well_signed_breaks_anything(
    deps: Dependencies, event: str, raw: bytes
) -> None:
    signature = f"sha256={hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()}"
    try:
        assert received(deps, event, hashlib.sha256(raw).hexdigest(), signature, raw)
    except Invalid as error:
        assert "body" in str(error)  # noqa: PT017 - both outcomes are right


HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30) | st.sampled_from(
    [
        "0",
        "-1",
        "1e9",
        "9" * 30,
        "9007199254740992",
        "9007199254740993",
        " 1",
        "+1",
        "0x1",
        "1_0",
        "١",
        "null",
        "",
        "1,2",
        "NaN",
    ]
).map(lambda text: text.encode("utf-8").decode("latin-1"))


@QUICK
@given(HEADER)
def test_whatever_a_listener_says_it_saw_last_it_is_a_seq_or_told_that_it_is_none(
    api: Api, last: str
) -> None:
    assume(last == last.strip())  # a server takes blanks at its ends off a header
    answer = api.ask("HEAD", "/events/stream", headers={"Last-Event-ID": last})
    fine = re.fullmatch(r"[0-9]{1,16}", last) is not None and int(last) <= 2**53
    assert answer.status_code == (200 if fine else 400)
    told = api.ask("GET", "/events", params={"after": last.encode("ascii", "replace").decode()})
    assert told.status_code in (200, 400)
    assert told.status_code == 200 or told.json["error"].startswith("after")


NAMED = [
    "Host",
    "Origin",
    "Authorization",
    "Cookie",
    "Content-Type",
    "Accept",
    "X-Hub-Signature-256",
    "Sec-Fetch-Site",
]


@QUICK
@given(
    st.dictionaries(
        st.sampled_from(NAMED) | st.from_regex(r"[A-Za-z-]{1,20}", fullmatch=True),
        HEADER,
        max_size=4,
    ),
    st.sampled_from(
        ["/sessions", "/health", "/webhooks/github", "/auth/code", "/events", "/nothing"]
    ),
    st.sampled_from(["GET", "POST", "OPTIONS", "DELETE"]),
)
def test_no_header_meets_a_5xx_and_none_opens_a_door(
    orchestrator: SmallOrchestrator, api: Api, given_: dict[str, str], path: str, method: str
) -> None:
    before = len(orchestrator.store.sessions.list())
    answer = api.ask(
        method,
        path,
        headers={"Authorization": "", **given_},
        body=b'{"project_id": "my-app", "prompt": "x"}',
    )
    assert answer.status_code < 500
    assert (
        answer.status_code >= 400
        or path == "/health"
        or (method, path) == ("OPTIONS", "/webhooks/github")
    )
    assert len(orchestrator.store.sessions.list()) == before
