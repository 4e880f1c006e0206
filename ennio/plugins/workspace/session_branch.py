"""The branch of a session in the repository that its worktree hangs on: made for it, or there
before. A ref of Ennio's own marks one that was made for a session.
"""

from __future__ import annotations

from collections.abc import Iterable
from shlex import quote

from ennio.model.errors import Refused
from ennio.plugins.git import HEAVY, Git, GitAnswer, failure
from ennio.plugins.workspace import foresight, ref_files
from ennio.plugins.workspace.branch_names import refuse_beside
from ennio.plugins.workspace.interface import WorkspaceSpec
from ennio.plugins.workspace.repository import BranchTips, SourceRepository
from ennio.plugins.workspace.worktree_list import WorktreeEntry


def adding(spec: WorkspaceSpec) -> tuple[str, ...]:
    """What git is told to add a worktree on it."""
    return ("worktree", "add", "--quiet", str(spec.path), spec.branch)


def make(
    repository: SourceRepository, spec: WorkspaceSpec, start: str, begun: str
) -> tuple[bool, GitAnswer | None]:
    """Make the branch, marked as this session's, which has ``begun`` there, and the worktree on it
    at once. Whether the branch was made, which it is not where there is one of that name; and what
    git said of the worktree.
    """
    ref = f"refs/heads/{spec.branch}"
    words = f"create {ref} {start}\nupdate {mark(spec)} {begun}\n"
    git, marking = repository.git, ("update-ref", "--stdin")
    then = foresight.of_made(repository, spec)
    told = git.in_turn((marking, words), (adding(spec), None), timeout=HEAVY, then=then)
    made = git.run(*marking, input=words, check=False, first=told[0])
    if not made.ok and git.commit(ref) is None:
        refuse_blocked(repository, spec.branch)
        raise failure(git, ("update-ref",), made)
    return made.ok, told[1] if len(told) > 1 else None


def begun(repository: SourceRepository, spec: WorkspaceSpec, start: str) -> str:
    """Where the branch began: one that was made before and goes on began where it did then."""
    return (repository.git.commit(mark(spec)) if spec.seen_heads else None) or start


def unmake(repository: SourceRepository, spec: WorkspaceSpec, start: str, begun: str) -> None:
    """As it was before: nobody can have worked on what was made a moment ago."""
    words = f"delete refs/heads/{spec.branch} {start}\ndelete {mark(spec)} {begun}\n"
    repository.git.run("update-ref", "--stdin", input=words, check=False)


def take_over(repository: SourceRepository, spec: WorkspaceSpec, tips: BranchTips) -> None:
    """See that a branch which was there before is free, and up to date with the remote's."""
    git, ref = repository.git, f"refs/heads/{spec.branch}"
    refuse_held(repository.worktrees(), spec)
    here = git.commit(ref)
    if here is None or tips.branch is None or git.contains(tips.branch, here):
        return
    if not git.contains(here, tips.branch):
        words = f"branch {spec.branch} in {spec.source} and in {spec.repo} have gone different ways"
        source, kept = quote(str(spec.source)), repository.kept(spec.branch)
        message = (
            f"{words}: bring them together; to take theirs, and give up what is here alone: "
            f"git -C {source} branch -f {quote(spec.branch)} {quote(kept)}"
        )
        raise Refused(message)
    git.run("update-ref", ref, tips.branch, here)


def refuse_held(worktrees: Iterable[WorktreeEntry], spec: WorkspaceSpec) -> None:
    """Raise Refused where a branch is checked out elsewhere, with what frees it from the working
    copy of another session.
    """
    holder = next((entry.path for entry in worktrees if entry.branch == spec.branch), None)
    if holder is None:
        return
    words = f"branch {spec.branch} is checked out in {holder}, where it stays: give the session"
    ours = holder.parent.parent == spec.path.parent.parent  # by project, then by session
    way = f", or free it once that one has ended: `ennio cleanup {holder.name} --force`"
    raise Refused(f"{words} another branch{way if ours else ''}")


def refuse_blocked(repository: SourceRepository, branch: str) -> None:
    """Raise Refused where git can make no such branch beside another one, here or in an ordered
    repository on this machine; git is asked where files do not tell that there is a place.
    """
    machine = repository.machine
    for git, common, where in repository.places:
        far = bool(machine.name)  # at the end of a line files would be asked for apart
        if far or not ref_files.has_place(machine, git.directory, common, f"refs/heads/{branch}"):
            refuse_beside(branch, _beside(git, branch), where)


def _beside(git: Git, branch: str) -> list[str]:
    """The branches whose names begin as its own does."""
    first, _, _ = branch.partition("/")
    asked = ("for-each-ref", "--format=%(refname)", f"refs/heads/{first}")
    return [ref.removeprefix("refs/heads/") for ref in git.run(*asked).lines]


def refs(spec: WorkspaceSpec) -> tuple[str, str]:
    """The branch and its mark."""
    return f"refs/heads/{spec.branch}", mark(spec)


def mark(spec: WorkspaceSpec) -> str:
    """The ref that tells where the branch began."""
    return f"refs/ennio/made/{spec.session_id}"
