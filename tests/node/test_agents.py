"""Every agent over a real channel: a session in each working copy and each runtime is made,
launched and removed, and its prompt arrives as it was written.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.hosts.brief import Brief
from ennio.model.facts import Presence
from ennio.node.client import NodeHost
from tests.conftest import eventually, need
from tests.contract.host_stage import HOOKS
from tests.contract.test_agent import KINDS, NASTY, RECORDER
from tests.node.node_bench import TOKEN, NodeBench

pytestmark = pytest.mark.real
PLACES = (("tmux", "worktree"), ("process", "clone"))
AGENTS = {name: config for name, config in KINDS.items() if name not in ("scripted", "stub")}
PROMPT = "\n".join(words for name, words in NASTY.items() if name != "long")


@pytest.fixture(scope="module")
def bench() -> Iterator[NodeBench]:
    need("tmux")
    bench = NodeBench()
    (bench.folder / "bin").mkdir()
    for name in ("claude", "aider", "codex", "opencode", "recorder"):
        (bench.folder / "bin" / name).write_text(RECORDER)
        (bench.folder / "bin" / name).chmod(0o755)
    bench.more = {"PATH": f"{bench.folder / 'bin'}:/usr/bin:/bin"}
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


@pytest.fixture(scope="module")
def node(bench: NodeBench) -> Iterator[NodeHost]:
    node = NodeHost("b", f"127.0.0.1:{bench.port}", TOKEN)
    yield node
    node.close()


@pytest.mark.parametrize("kind", AGENTS)
def test_an_agent_over_there_is_given_its_prompt_as_it_was_written(
    bench: NodeBench, node: NodeHost, kind: str
) -> None:
    runtime, workspace = PLACES[list(AGENTS).index(kind) % len(PLACES)]
    record = bench.folder / f"{kind}.json"
    brief = Brief(
        session_id=f"s-{kind}",
        project_id="play",
        agent=kind.partition("-")[0] if kind.startswith("command") else kind,
        runtime=runtime,
        workspace=workspace,
        agent_config=AGENTS[kind],
        env={"RECORD": str(record)},
        repo=str(bench.folder / "hub.git"),
        source=str(bench.source),
        branch=f"work/{kind}",
        base="main",
    )
    if kind.startswith("command"):  # agents are made once for a project
        brief = replace(brief, project_id=f"play-{kind}")
    node.check(brief)
    brief = replace(brief, path=node.make(brief).path)
    node.instruct(brief, PROMPT, "Never stop")
    node.prepare(brief)
    launched = node.launch(brief, 1, HOOKS, "record", False, None)
    brief = replace(brief, handle=launched.handle)

    def ran() -> object:
        if kind == "command-stdin":  # behind its prompt it reads on from the terminal
            node.type_keys(brief, b"\x04", paste=False)
        return _read(record)

    told = eventually(ran, why="it ran")
    assert isinstance(told, dict)
    assert told["cwd"] == brief.path
    assert told["env"]["ENNIO_SESSION_ID"] == brief.session_id
    if launched.carried:
        folder = bench.root / "sessions" / brief.session_id
        files = [one.read_text() for one in folder.iterdir() if one.suffix in (".txt", ".md")]
        texts = [*told["argv"], told["stdin"], *files]
        assert any(PROMPT in text for text in texts)
    handles = {brief.session_id: brief.handle}
    survey = lambda: node.survey(runtime, handles).processes[brief.session_id]  # noqa: E731
    eventually(lambda: survey().presence is Presence.GONE, why="it ended")
    node.stop(brief, launched=True)
    node.remove(replace(brief, ended=True))
    assert not Path(brief.path).exists()


def _read(record: Path) -> object:
    try:
        return json.loads(record.read_text())
    except (OSError, ValueError):
        return None
