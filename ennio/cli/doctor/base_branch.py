"""Whether there is a commit that sessions of a project can begin from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from shlex import quote
from typing import TYPE_CHECKING

from ennio.cli.doctor.finding import Finding, broken
from ennio.model.errors import EnnioError

if TYPE_CHECKING:
    from ennio.config.model import Project
    from ennio.plugins.git import Git
    from ennio.plugins.workspace.repository import SourceRepository


def lacking(place: Project) -> Finding | None:
    """That the ordered repository has no default branch, where it lies on this machine: another
    one is asked when a session begins. None where it has, or git does not read it, which a spawn
    tells.
    """
    from ennio.machine.local import LocalMachine
    from ennio.plugins.workspace.repository import SourceRepository

    with suppress(EnnioError):
        source = SourceRepository(LocalMachine(), place.path, place.repo)
        if source.near is None or source.there(place.default_branch) is not None:
            return None
        what = f"project {place.id}: {source.near} has no branch {place.default_branch}"
        if there := _other(source.git.at(source.near)):
            way = f"default_branch: {there}  in ennio.yaml, or push {place.default_branch} there"
            return broken(f"{what}, from which sessions begin", way)
        ways = " && ".join(_ways(source, place)) or f"push {place.default_branch} there"
        return broken(f"{what} yet, nor any other to begin from", ways)
    return None


def _other(git: Git) -> str:
    """The branch that the repository itself begins with, else any there is; nothing where there is
    none. Those of agents are among them.
    """
    head = git.run("symbolic-ref", "--quiet", "--short", "HEAD", check=False).text
    if head and git.commit(f"refs/heads/{head}") is not None:
        return head
    return git.run("for-each-ref", "--count=1", "--format=%(refname:short)", "refs/heads").text


def _ways(source: SourceRepository, place: Project) -> Iterator[str]:
    """The commands that give an empty repository its first commit, from the project's own working
    copy; none where that is none, and has no files to commit.
    """
    here, base = f"git -C {quote(str(place.path))}", quote(place.default_branch)
    if not (place.path / ".git").exists():
        return
    if source.git.commit("HEAD") is None:
        yield f"{here} add -A"
        yield f"{here} commit --allow-empty -m 'first commit'"
    if not source.own:
        yield f"{here} push {quote(str(source.near))} HEAD:refs/heads/{base}"
    elif source.git.run("symbolic-ref", "--short", "HEAD", check=False).text != base:
        yield f"{here} branch -m {base}"
