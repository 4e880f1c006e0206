"""What an agent puts in place of files that we read or write for it: a link is not followed, a pipe
is not waited for, and nothing outside is read, written or shown.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace

import pytest

from ennio.config.model import AgentConfig
from ennio.hosts.brief import Brief, SandboxSpec
from ennio.hosts.observation import Wanted
from ennio.machine import single
from ennio.machine.interface import FileKind, FileSpan, Machine
from ennio.machine.sandbox.confined import ConfinedMachine
from ennio.model.errors import EnnioError, NotFound, Refused
from ennio.model.workspace_changes import Until
from ennio.plugins.agent import claude_trust
from tests.sandbox.bench import NOWHERE, SECRET, Bench, bench


@pytest.fixture(scope="module")
def ground() -> Iterator[Bench]:
    with bench() as made:
        (made.root / "outside").write_text(SECRET)
        yield made


@pytest.fixture(scope="module")
def made(ground: Bench) -> Brief:
    """One for all, who each take other names in it."""
    return _session(ground, "files")


def _session(ground: Bench, name: str) -> Brief:
    brief = ground.brief(name, ["true"], SandboxSpec())
    ground.make(brief)
    return brief


def _machine(ground: Bench, brief: Brief) -> Machine:
    return ground.host._resolver.believed(brief)


def test_a_link_in_the_working_copy_is_not_followed_for_a_person(
    ground: Bench, made: Brief
) -> None:
    copy, outside = ground.workspace(made), ground.root / "outside"
    (copy / "shown.txt").symlink_to(outside)
    (copy / "folder").symlink_to(ground.person / ".ssh")
    for path in ("shown.txt", "folder/id_rsa", str(outside), "../../../../outside"):
        with pytest.raises((Refused, NotFound)):
            ground.host.named_content(made, path)
    shown = ground.host.changes(made, Until.WORKTREE, 1 << 16)
    assert SECRET not in str(shown)


def test_an_index_that_is_a_link_is_not_copied(ground: Bench) -> None:
    made = _session(ground, "index")
    copy = ground.workspace(made)
    (copy / ".git" / "index").unlink()
    (copy / ".git" / "index").symlink_to(ground.root / "outside")
    with suppress(EnnioError, OSError):
        ground.host.changes(made, Until.WORKTREE, 1 << 16)
    kept = list((ground.folder(made) / "scratch").rglob("*"))
    assert not [one for one in kept if one.is_file() and SECRET in one.read_text()]


def test_a_prompt_that_is_a_link_is_not_given_to_the_agent(ground: Bench, made: Brief) -> None:
    """A program that goes on is given its first prompt again, from a file that it can replace."""
    shared = ground.shared(made)
    (shared / "prompt.txt").symlink_to(ground.root / "outside")
    told = AgentConfig(passthrough={"argv": ["cat", "{prompt_file}"]})
    brief = replace(made, agent_config=told)
    with suppress(EnnioError, OSError):
        ground.host.launch(brief, 2, NOWHERE, "{}", resume=True, carry=None)
        ground.host.stop(brief, launched=True)
    there = shared / "prompt.txt"
    assert there.is_symlink() or SECRET not in there.read_text()


def test_what_is_written_for_the_agent_does_not_go_through_a_link(
    ground: Bench, made: Brief
) -> None:
    outside, machine = ground.root / "untouched", _machine(ground, made)
    outside.write_text("as it was")
    shared = ground.shared(made)
    (shared / "linked.txt").symlink_to(outside)
    machine.write(shared / "linked.txt", b"new")
    (shared / "more.jsonl").symlink_to(outside)
    with pytest.raises(OSError, match="link"):
        machine.append(shared / "more.jsonl", b"new")
    (shared / "below").symlink_to(ground.root)
    for act in (
        lambda: machine.write(shared / "below" / "untouched", b"new"),
        lambda: machine.append(shared / "below" / "untouched", b"new"),
        lambda: machine.make_folder(shared / "below" / "made"),
        lambda: machine.remove([shared / "below" / "untouched"]),
        lambda: machine.remove_tree(shared / "below" / "ennio"),
        lambda: machine.rename(shared / "linked.txt", shared / "below" / "untouched"),
        lambda: machine.copy(shared / "linked.txt", shared / "below" / "untouched"),
        lambda: machine.list(shared / "below"),
        lambda: machine.connect(shared / "below" / "socket", 1.0),
    ):
        with pytest.raises(PermissionError):
            act()
    assert outside.read_text() == "as it was"
    assert not (ground.root / "made").exists()


@pytest.mark.parametrize("path", ["id_rsa", "beneath/id_rsa"])
def test_what_is_read_of_the_agent_is_not_read_through_a_link(
    ground: Bench, made: Brief, path: str
) -> None:
    shared, machine = ground.shared(made), _machine(ground, made)
    for name, to in (("id_rsa", ".ssh/id_rsa"), ("beneath", ".ssh")):
        (shared / name).unlink(missing_ok=True)
        (shared / name).symlink_to(ground.person / to)
    (read,) = machine.read([FileSpan(shared / path)])
    assert isinstance(read, OSError)
    (state,) = machine.stat([shared / path])
    assert isinstance(state, OSError) or state.kind is FileKind.LINK


def test_what_is_none_of_the_sessions_is_not_read_for_it(ground: Bench, made: Brief) -> None:
    (read,) = _machine(ground, made).read([FileSpan(ground.person / ".ssh" / "id_rsa")])
    assert isinstance(read, PermissionError)


def test_a_pipe_in_place_of_a_file_is_not_waited_for(ground: Bench, made: Brief) -> None:
    shared, machine = ground.shared(made), _machine(ground, made)
    os.mkfifo(shared / "pipe")
    (read,) = machine.read([FileSpan(shared / "pipe")])
    assert isinstance(read, OSError)
    with pytest.raises(OSError, match=r"pipe|device|plain"):
        machine.append(shared / "pipe", b"new")
    with pytest.raises(OSError, match="plain"):
        machine.copy(shared / "pipe", shared / "copy")


def test_no_more_is_read_of_a_large_file_than_was_asked_for(ground: Bench, made: Brief) -> None:
    shared, machine = ground.shared(made), _machine(ground, made)
    with (shared / "large").open("wb") as file:
        file.truncate(8 << 30)
    with pytest.raises(ValueError, match="larger"):
        single.content(machine, shared / "large", 1 << 16)
    with pytest.raises(OSError, match="large"):
        machine.copy(shared / "large", shared / "copy")


def test_a_working_copy_whose_git_leads_elsewhere_is_not_looked_at_there(ground: Bench) -> None:
    made = _session(ground, "elsewhere")
    copy = ground.workspace(made)
    (copy / ".git").rename(copy / "aside")
    (copy / ".git").symlink_to(ground.repository / ".git")
    seen = ground.host.observe([Wanted(made, {}, place=True, afresh=True)])
    place = seen[made.session_id].place
    assert place is None or place.place.value != "standing"
    (copy / ".git").unlink()
    (copy / ".git").write_text(f"gitdir: {ground.person}/.ssh\n")
    ground.host.observe([Wanted(made, {}, place=True, afresh=True)])


def test_what_the_agent_left_is_removed_and_nothing_that_it_leads_to(
    ground: Bench, made: Brief
) -> None:
    copy, outside = ground.workspace(made), ground.root / "precious"
    outside.mkdir(exist_ok=True)
    (outside / "file").write_text("kept")
    (copy / "away").symlink_to(outside)
    (ground.shared(made) / "away").symlink_to(outside)
    ground.host.remove(replace(made, ended=True))
    assert not copy.exists()
    assert not ground.folder(made).exists()
    assert (outside / "file").read_text() == "kept"


def test_claudes_trust_is_written_under_its_lock_which_nobody_inside_sees(ground: Bench) -> None:
    """Its lock was none of the session's, and so no claude-code ever began in a sandbox."""
    made = ground.brief("claude", ["true"], SandboxSpec(), agent="claude-code")
    made = replace(made, agent_config=AgentConfig())
    machine, copy = _machine(ground, made), ground.workspace(made)
    settings = ground.person / ".claude.json"
    note = ground.shared(made) / "trust.json"
    note.parent.mkdir(parents=True)
    assert claude_trust.trust(machine, settings, copy, note)
    assert "hasTrustDialogAccepted" in settings.read_text()
    claude_trust.forget(machine, note)
    assert str(copy) not in settings.read_text()
    assert isinstance(machine, ConfinedMachine)
    isolation = machine.isolation
    assert settings in isolation.readable
    assert settings not in isolation.writable
    assert not [one for one in (*isolation.readable, *isolation.writable) if one.suffix == ".lock"]
