"""The nine documented calls do their work for a client that was made of the documentation's text
alone, on a node that runs for real.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest

from tests.conftest import eventually, need
from tests.node.node_bench import DocumentedClient, NodeBench, documented
from tests.node.test_protocol import PROTO

pytestmark = pytest.mark.real
Code = grpc.StatusCode


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the documented text makes."""
    return documented(tmp_path_factory.mktemp("documented"))


@pytest.fixture(scope="module")
def bench() -> Iterator[NodeBench]:
    """A node for all stories here."""
    for program in ("git", "tmux"):
        need(program)
    bench = NodeBench()
    try:
        bench.start()
        yield bench
    finally:
        bench.close()


@pytest.fixture
def client(bench: NodeBench, made: Any) -> Iterator[DocumentedClient]:
    """Somebody who knows the documentation alone."""
    client = DocumentedClient(made, bench.port)
    yield client
    client.close()


def _workspace(bench: NodeBench, session: str, **other: Any) -> dict[str, Any]:
    fields = {"project_id": "play", "repo_url": str(bench.folder / "hub.git")}
    fields |= {"path": str(bench.source), "session_id": session, "default_branch": "main"}
    return {**fields, "workspace_type": "worktree", **other}


def _refusal(ask: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        ask()
    return caught.value.code(), caught.value.details()


def _output(client: DocumentedClient, handle: Any) -> str:
    return str(client.GetOutput(handle=handle, lines=50).output)


@pytest.mark.parametrize("kind", ["worktree", "clone"])
def test_a_session_is_made_launched_talked_to_and_removed_by_the_documented_calls(
    bench: NodeBench, client: DocumentedClient, kind: str
) -> None:
    beat = client.Heartbeat()
    assert beat.healthy
    assert beat.uptime_secs < 600
    wanted = _workspace(bench, f"s-{kind}", branch=f"work/{kind}", workspace_type=kind)
    path = Path(client.CreateWorkspace(**wanted).workspace_path)
    assert path.is_relative_to(bench.root)
    assert bench.run("git", "-C", str(path), "branch", "--show-current") == f"work/{kind}"
    assert client.CreateWorkspace(**wanted).workspace_path == str(path), "asked again it is found"

    launch = {"session_id": f"s-{kind}", "cwd": str(path), "session_name": f"name-{kind}"}
    launch |= {
        "launch_command": 'echo "in $(pwd) {session} $KEY"; exec cat',
        "env": {"KEY": "a'b $x"},
    }
    handle = client.CreateRuntime(**launch).handle
    assert (handle.id, handle.runtime_name) == (f"name-{kind}", "tmux")
    assert client.IsAlive(handle=handle).alive
    eventually(lambda: f"in {path} {{session}} a'b $x" in _output(client, handle).replace("\n", ""))
    assert client.CreateRuntime(**launch).handle == handle, "asked again it is found"

    client.SendMessage(handle=handle, message="play it; then `rest`")
    eventually(
        lambda: _output(client, handle).count("play it; then `rest`") == 2, why="cat says it"
    )
    client.DestroyRuntime(handle=handle)
    assert not client.IsAlive(handle=handle).alive
    client.DestroyRuntime(handle=handle)

    (path / "kept.txt").write_text("only here\n")
    client.DestroyWorkspace(workspace_path=str(path))
    assert not path.exists()
    client.DestroyWorkspace(workspace_path=str(path))
    saved = bench.run("git", "-C", str(bench.source), "for-each-ref", "refs/ennio/preserved/")
    assert f"s-{kind}" in saved, "what was only there is saved first"
    assert [each.name for each in (bench.root / "sessions").iterdir() if kind in each.name] == []


def test_a_branch_left_out_is_that_of_the_session(
    bench: NodeBench, client: DocumentedClient
) -> None:
    path = client.CreateWorkspace(**_workspace(bench, "s-own")).workspace_path
    assert bench.run("git", "-C", path, "branch", "--show-current") == "s-own"
    client.DestroyWorkspace(workspace_path=path)


def test_an_agent_that_ended_is_launched_anew_and_a_living_one_is_not_replaced(
    bench: NodeBench, client: DocumentedClient
) -> None:
    (bench.root / "worktrees").mkdir(exist_ok=True)
    launch = {"session_id": "again", "cwd": str(bench.root / "worktrees")}
    first = client.CreateRuntime(**launch, launch_command="echo once").handle
    eventually(lambda: not client.IsAlive(handle=first).alive)
    assert "once" in _output(client, first)
    second = client.CreateRuntime(**launch, launch_command="echo twice; exec cat").handle
    eventually(lambda: "twice" in _output(client, second))
    code, words = _refusal(lambda: client.CreateRuntime(**launch, launch_command="exec sleep 9"))
    assert code is Code.ALREADY_EXISTS
    assert "again runs another command" in words
    assert client.IsAlive(handle=second).alive
    client.DestroyRuntime(handle=second)


def test_of_many_who_launch_the_same_at_once_all_get_one(
    bench: NodeBench, client: DocumentedClient
) -> None:
    (bench.root / "worktrees").mkdir(exist_ok=True)
    wanted = {"session_id": "once", "cwd": str(bench.root / "worktrees"), "launch_command": "cat"}
    with ThreadPoolExecutor(8) as pool:
        handles = list(pool.map(lambda _: client.CreateRuntime(**wanted).handle, range(8)))
    assert {handle.data["pid"] for handle in handles} == {handles[0].data["pid"]}
    client.DestroyRuntime(handle=handles[0])


@pytest.mark.parametrize(
    ("call", "fields", "field"),
    [
        ("CreateWorkspace", {"project_id": "../up"}, "project_id"),
        ("CreateWorkspace", {"session_id": ""}, "session_id"),
        ("CreateWorkspace", {"session_id": "a/b"}, "session_id"),
        ("CreateWorkspace", {"workspace_type": "copy"}, "workspace_type"),
        ("CreateWorkspace", {"workspace_type": ""}, "workspace_type"),
        ("CreateWorkspace", {"default_branch": "--help"}, "default_branch"),
        ("CreateWorkspace", {"branch": ""}, "branch"),
        ("CreateWorkspace", {"path": "relative"}, "path"),
        ("CreateWorkspace", {"repo_url": "--upload-pack=x"}, "repo_url"),
        ("DestroyWorkspace", {"workspace_path": "relative"}, "workspace_path"),
        ("DestroyWorkspace", {"workspace_path": "{root}/worktrees"}, "workspace_path"),
        ("DestroyWorkspace", {"workspace_path": "{root}/sessions/a/b"}, "workspace_path"),
        ("CreateRuntime", {"session_id": "a b", "launch_command": "true"}, "session_id"),
        ("CreateRuntime", {"session_id": "a", "launch_command": " "}, "launch_command"),
        ("CreateRuntime", {"session_id": "a", "launch_command": "x" * 200000}, "launch_command"),
        (
            "CreateRuntime",
            {"session_id": "a", "launch_command": "true", "cwd": "{root}/nowhere"},
            "cwd",
        ),
        (
            "CreateRuntime",
            {"session_id": "a", "launch_command": "true", "cwd": "{root}/node", "env": {"A=B": ""}},
            "env",
        ),
        ("SendMessage", {"message": "x"}, "handle"),
        ("GetOutput", {"lines": 1}, "handle"),
        ("IsAlive", {}, "handle"),
        ("DestroyRuntime", {}, "handle"),
        ("IsAlive", {"handle": {"id": "a b", "runtime_name": "tmux"}}, "handle.id"),
        ("IsAlive", {"handle": {"id": "a", "runtime_name": "nope"}}, "handle.runtime_name"),
        ("SendMessage", {"handle": {"id": "a", "runtime_name": "tmux"}}, "message"),
    ],
)
def test_a_field_that_is_wrong_is_named(
    bench: NodeBench, client: DocumentedClient, call: str, fields: dict[str, Any], field: str
) -> None:
    given = _workspace(bench, "s-wrong") if call == "CreateWorkspace" else {}
    told = {
        key: value.replace("{root}", str(bench.root)) if isinstance(value, str) else value
        for key, value in fields.items()
    }
    code, words = _refusal(lambda: getattr(client, call)(**{**given, **told}))
    assert (code, words.split(":")[0]) == (Code.INVALID_ARGUMENT, field)


def test_no_path_leads_out_of_the_root(bench: NodeBench, client: DocumentedClient) -> None:
    outside = bench.folder / "outside"
    outside.mkdir()
    inside = bench.root / "worktrees"
    inside.mkdir(exist_ok=True)
    for name, target in (("link", outside), ("loop", bench.root)):
        (inside / name).symlink_to(target)
    out = (bench.root, "/", outside, f"{bench.root}/..", f"{inside}/../../outside", inside / "link")
    for path in (*map(str, out), f"{bench.root}/", f"{inside}/loop"):
        asked = {"session_id": "a", "launch_command": "true", "cwd": path}
        assert (
            _refusal(lambda asked=asked: client.CreateRuntime(**asked))[0] is Code.PERMISSION_DENIED
        )
        code = _refusal(lambda path=path: client.DestroyWorkspace(workspace_path=path))[0]
        assert code is Code.PERMISSION_DENIED, path
    code = _refusal(lambda: client.CreateWorkspace(**_workspace(bench, "s-x", project_id="link")))[
        0
    ]
    assert code is Code.PERMISSION_DENIED
    assert list(outside.iterdir()) == []


def test_a_link_to_a_workspace_is_none_and_a_folder_of_somebodys_is_not_removed(
    bench: NodeBench, client: DocumentedClient
) -> None:
    path = client.CreateWorkspace(**_workspace(bench, "s-real")).workspace_path
    link = Path(path).with_name("s-link")
    link.symlink_to(path)
    ask = lambda place: _refusal(lambda: client.DestroyWorkspace(workspace_path=str(place)))[0]  # noqa: E731
    assert ask(link) is Code.PERMISSION_DENIED
    theirs = Path(path).with_name("s-theirs")
    theirs.mkdir()
    assert ask(theirs) is Code.FAILED_PRECONDITION
    assert theirs.is_dir()
    assert Path(path).is_dir()
    client.DestroyWorkspace(workspace_path=path)
    link.unlink()


def test_a_root_that_a_link_leads_to_is_known_by_both_names(
    bench: NodeBench, client: DocumentedClient
) -> None:
    path = client.CreateWorkspace(**_workspace(bench, "s-two")).workspace_path
    other = bench.folder / "other-name"
    other.symlink_to(bench.root)
    client.DestroyWorkspace(workspace_path=path.replace(str(bench.root), str(other)))
    assert not Path(path).exists()


def test_what_is_not_there_is_not_found_or_fine(client: DocumentedClient, bench: NodeBench) -> None:
    handle = {"id": "nobody", "runtime_name": "tmux"}
    assert not client.IsAlive(handle=handle).alive
    assert _refusal(lambda: client.GetOutput(handle=handle, lines=5))[0] is Code.NOT_FOUND
    assert _refusal(lambda: client.SendMessage(handle=handle, message="x"))[0] is Code.NOT_FOUND
    client.DestroyRuntime(handle=handle)
    client.DestroyWorkspace(workspace_path=f"{bench.root}/clones/play/nobody")


def test_a_base_that_is_not_there_is_refused_with_its_name(
    client: DocumentedClient, bench: NodeBench
) -> None:
    wanted = _workspace(bench, "s-base", default_branch="sonata")
    code, words = _refusal(lambda: client.CreateWorkspace(**wanted))
    assert code is Code.FAILED_PRECONDITION
    assert "sonata" in words


def test_nobody_is_answered_without_the_token(bench: NodeBench, made: Any) -> None:
    for token in (None, "", "wrong", "a-token-of-the-benc", "a-token-of-the-bench2"):
        client = DocumentedClient(made, bench.port, token)
        calls = made[1].methods_by_name
        assert {_refusal(getattr(client, name))[0] for name in calls} == {Code.UNAUTHENTICATED}
        client.close()


def test_the_documented_text_is_that_of_the_protocol(made: Any) -> None:
    text = PROTO.read_text(encoding="utf-8")
    assert all(f"message {name} {{" in text for name in made[0])


def test_sessions_outlive_a_node_that_is_killed_and_the_next_one_knows_them(
    bench: NodeBench, made: Any
) -> None:
    client = DocumentedClient(made, bench.port)
    path = client.CreateWorkspace(**_workspace(bench, "s-kill")).workspace_path
    launch = {"session_id": "s-kill", "cwd": path, "launch_command": "exec cat"}
    handle = client.CreateRuntime(**launch).handle
    bench.signal(signal.SIGKILL)
    assert _refusal(client.Heartbeat)[0] is Code.UNAVAILABLE
    os.kill(int(handle.data["pid"]), 0)
    bench.start(bench.port)
    client.close()
    client = DocumentedClient(made, bench.port)
    assert client.IsAlive(handle=handle).alive
    assert client.CreateRuntime(**launch).handle == handle
    client.SendMessage(handle=handle, message="still there")
    eventually(lambda: _output(client, handle).count("still there") == 2)
    client.DestroyRuntime(handle=handle)
    client.DestroyWorkspace(workspace_path=path)
    assert not Path(path).exists()
    client.close()


def test_shutdown_is_accepted_and_the_node_ends_well(bench: NodeBench, made: Any) -> None:
    client = DocumentedClient(made, bench.port)
    assert client.Shutdown(graceful=True).accepted
    assert bench.process is not None
    assert bench.process.wait(20) == 0
    client.close()
    bench.start()
