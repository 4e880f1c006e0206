"""What a working copy's making is about to ask of a machine, so that one at the end of a line is
asked once. What is guessed wrong is asked again by who needs it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import FileSpan, Machine
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
class KnownSource:
    """How a source was found the last time."""

    common: Path
    near: Path
    own: bool
    addresses: tuple[str, ...]


_known: dict[tuple[str, Path, str], KnownSource] = {}


def remember(repository: SourceRepository) -> None:
    """How it was found, for the next time."""
    machine, near = repository.machine, repository.near
    if machine.name and near is not None:
        if len(_known) >= _MOST:
            _known.clear()
        known = KnownSource(repository.common, near, repository.own, repository.addresses)
        _known[machine.name, repository.source, repository.repo] = known


def of_making(machine: Machine, spec: WorkspaceSpec) -> Questions:
    """Before a worktree is made."""
    if not machine.name:
        return NOTHING_ASKED
    known = found_before(machine, spec)
    asked = of_source(machine, spec, known)
    return replace(
        asked,
        links=[spec.path],
        real=[*asked.real, spec.path],
        folders=[place / "worktrees" for place in (spec.source / ".git", spec.source)],
        commands=[] if known is None else of_branches(machine, spec, known).commands,
    )


def found_before(machine: Machine, spec: WorkspaceSpec) -> KnownSource | None:
    """How the source of a working copy was found the last time."""
    return _known.get((machine.name, spec.source, spec.repo))


def of_source(machine: Machine, spec: WorkspaceSpec, known: KnownSource | None) -> Questions:
    """Before the source of a working copy is found."""
    near = () if known is None else (known.near,)
    roots = (spec.source, *near)
    places = [place for root in roots for place in (root / ".git", root)]
    beside = [] if known is None else _paths(machine, spec, known)
    states = [*roots, *(part for place in places for part in parts_of(place))]
    return Questions(states=states, real=[*places, *beside])


def gits(machine: Machine, spec: WorkspaceSpec, known: KnownSource) -> tuple[Git, Git]:
    """Those of the source and of the ordered repository."""
    source = known.common.parent if known.common.name == ".git" else known.common
    return (
        Git(machine, spec.source, above=source.parent),
        Git(machine, known.near, above=known.near.parent),
    )


def of_branches(
    machine: Machine, spec: WorkspaceSpec, known: KnownSource, *, alone: bool = False
) -> Questions:
    """Before its base and branch are brought here, or the base ``alone``."""
    wanted = WantedBranches(spec.base, spec.base if alone else spec.branch, known.own)
    asked = wanted.questions(*gits(machine, spec, known))
    return Questions(commands=[as_asked(one) for one in asked])


def _paths(machine: Machine, spec: WorkspaceSpec, known: KnownSource) -> list[Path]:
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
        commands=[
            as_asked(one) for one in (GitCommand(git, COMMON), *links.questions(spec.symlinks, git))
        ],
    )
