"""What a working copy's making is about to ask of a machine, so that one at the end of a line is
asked once. What is guessed wrong is asked again by who needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Command, FileSpan, Machine
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model import repository_address
from ennio.plugins import orphans
from ennio.plugins.git import COMMON, Git, GitCommand, as_asked
from ennio.plugins.workspace import links, private
from ennio.plugins.workspace.hook_run import Track
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.repository import SourceRepository, parts_of
from ennio.plugins.workspace.wanted_branches import WantedBranches

_MOST = 1024
PARTS = ("HEAD", "commondir", "gitdir")
"""What tells a worktree, in its private folder."""


@dataclass(frozen=True, slots=True)
class _KnownSource:
    """How a source was found the last time."""

    common: Path
    near: Path
    own: bool
    addresses: tuple[str, ...]


_known: dict[tuple[str, Path, str], _KnownSource] = {}


def remember(repository: SourceRepository) -> None:
    """How it was found, for the next time."""
    machine, near = repository.machine, repository.near
    if machine.name and near is not None:
        if len(_known) >= _MOST:
            _known.clear()
        known = _KnownSource(repository.common, near, repository.own, repository.addresses)
        _known[machine.name, repository.source, repository.repo] = known


def of_making(machine: Machine, spec: WorkspaceSpec) -> Questions:
    """Before a worktree is made."""
    if not machine.name:
        return NOTHING_ASKED
    known = _known.get((machine.name, spec.source, spec.repo))
    near = () if known is None else (known.near,)
    roots = (spec.source, *near)
    places = [place for root in roots for place in (root / ".git", root)]
    beside = [] if known is None else _paths(machine, spec, known)
    return Questions(
        states=[*roots, *(part for place in places for part in parts_of(place))],
        links=[spec.path],
        real=[*places, spec.path, *beside],
        folders=[place / "worktrees" for place in places[:2]],
        commands=[] if known is None else _commands(machine, spec, known),
    )


def _commands(machine: Machine, spec: WorkspaceSpec, known: _KnownSource) -> list[Command]:
    source = known.common.parent if known.common.name == ".git" else known.common
    wanted = WantedBranches(spec.base, spec.branch, known.own)
    here = Git(machine, spec.source, above=source.parent)
    there = Git(machine, known.near, above=known.near.parent)
    return [as_asked(one) for one in wanted.questions(here, there)]


def _paths(machine: Machine, spec: WorkspaceSpec, known: _KnownSource) -> list[Path]:
    """Where addresses lead that are paths."""
    return [
        spec.source / single.expanded(machine, address)
        for address in (*known.addresses, spec.repo)
        if "://" not in address and not repository_address.is_scp(address)
    ]


def of_made(repository: SourceRepository, spec: WorkspaceSpec) -> Questions:
    """After a worktree was made, by the name that git gives it where nothing is in the way."""
    own, link = repository.common / "worktrees" / spec.path.name, spec.path / ".git"
    return Questions(
        files=[private.pointer(spec.path), *(FileSpan(own / name) for name in PARTS)],
        real=[own / "../..", own, link, spec.path],
    )


def of_preparing(machine: Machine, spec: WorkspaceSpec, path: Path) -> Questions:
    """Before links are placed and commands are run in a working copy that was just made."""
    if not machine.name or not (spec.symlinks or spec.post_create):
        return NOTHING_ASKED
    own, asked = private.questions(path, spec.source), _of_links(machine, spec, path)
    hooks = bool(spec.post_create and spec.log)
    traces = Track(machine, spec.log.parent).spans if spec.log is not None else ()
    return replace(
        asked,
        states=[*own.states, *asked.states],
        files=[*own.files, *asked.files, *(traces if hooks else ())],
        marked=[orphans.MARK] if spec.post_create else [],
    )


def _of_links(machine: Machine, spec: WorkspaceSpec, path: Path) -> Questions:
    if not spec.symlinks:
        return NOTHING_ASKED
    git = Git(machine, path, above=path.parent)
    sources = [spec.source / link.source for link in spec.symlinks]
    persons = links.usual_persons(machine)
    return Questions(
        states=[*sources, persons],
        real=[path, spec.source / ".git", *(source.parent for source in sources)],
        files=[FileSpan(persons, most=links.MOST + 1)],
        commands=[as_asked(GitCommand(git, COMMON))],
    )
