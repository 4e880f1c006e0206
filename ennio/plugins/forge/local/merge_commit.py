"""The commit that merging a pull request makes, built without a working copy.

Squash and merge take the tree of a trial merge. Rebase replays commit by commit: a commit is
picked by a trial merge with a stand-in that has the tree of what it goes onto and the picked
commit's parent as its own, so that git takes exactly that parent as the merge base.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from ennio.model.errors import Conflict
from ennio.model.local_forge import PullRow
from ennio.model.pulls import Mergeability, MergeMethod
from ennio.plugins.forge.local.repository import CommitText, GitRepository
from ennio.plugins.trial_merge import TrialMerge


@dataclass(frozen=True, slots=True)
class MergeSpec:
    """A merge that is wanted: the pull request, onto which commit of its
    base, how, by whom, when.
    """

    row: PullRow
    base_head: str
    method: MergeMethod
    committer: str
    at: datetime

    @property
    def stamp(self) -> str:
        """The committer with the time, as git writes it."""
        return f"{self.committer} {int(self.at.timestamp())} +0000"


def build(repository: GitRepository, spec: MergeSpec) -> str:
    """Write the commit that the base will point to and return its name; no branch moves.

    Raises Conflict naming the files, or saying why the commits cannot be replayed.
    """
    trial = _tried(repository, spec.base_head, spec.row.head)
    if trial.tree is None or trial.mergeability is not Mergeability.CLEAN:
        raise Conflict(
            f"#{spec.row.number} cannot be merged into {spec.row.base}: {_reason(trial)}"
        )
    if spec.method is MergeMethod.REBASE:
        return _replay(repository, spec, trial.tree)
    return _join(repository, spec, trial.tree)


def _join(repository: GitRepository, spec: MergeSpec, tree: str) -> str:
    if spec.method is MergeMethod.SQUASH:
        tip = repository.commit(spec.row.head)
        return _written(
            repository, CommitText(tree, (spec.base_head,), tip.author, None, message(spec)), spec
        )
    parents = (spec.base_head, spec.row.head)
    return _written(repository, CommitText(tree, parents, spec.stamp, None, message(spec)), spec)


def message(spec: MergeSpec) -> str:
    """The words of a squash or merge commit, with trailers that lead back to the pull request."""
    row = spec.row
    squashed = spec.method is MergeMethod.SQUASH
    title = (
        f"{row.title} (#{row.number})"
        if squashed
        else f"Merge #{row.number} from {row.branch}\n\n{row.title}"
    )
    body = f"\n\n{row.body.strip()}" if row.body.strip() else ""
    return f"{title}{body}\n\nEnnio-Pull: {row.project_id}#{row.number}\nEnnio-Head: {row.head}\n"


def _replay(repository: GitRepository, spec: MergeSpec, expected_tree: str) -> str:
    """The branch's commits on top of the base; refused when that gives
    another result than merging.
    """
    tip = spec.base_head
    for name in repository.commits(spec.base_head, spec.row.head):
        tip = _picked(repository, spec, name, tip)
    if repository.commit(tip).tree != expected_tree:
        raise _unreplayable(spec, "replaying its commits gives another result than merging it")
    return tip


def _picked(repository: GitRepository, spec: MergeSpec, name: str, onto: str) -> str:
    commit, below = repository.commit(name), repository.commit(onto)
    if commit.parents == (onto,):
        return name
    stand_in = _written(
        repository, CommitText(below.tree, commit.parents, spec.stamp, None, "stand-in\n"), spec
    )
    trial = _tried(repository, stand_in, name)
    if trial.tree is None or trial.mergeability is not Mergeability.CLEAN:
        raise _unreplayable(spec, f"commit {name[:10]} ({commit.subject}) {_reason(trial)}")
    if trial.tree == below.tree:
        return onto
    return _written(repository, replace(commit, tree=trial.tree, parents=(onto,)), spec)


def _unreplayable(spec: MergeSpec, why: str) -> Conflict:
    return Conflict(f"#{spec.row.number} cannot be rebased: {why}; merge it with squash")


def _tried(repository: GitRepository, base: str, head: str) -> TrialMerge:
    return repository.try_merges([(base, head)])[base, head]


def _reason(trial: TrialMerge) -> str:
    if trial.conflicts:
        return f"conflicts in {', '.join(trial.conflicts)}"
    return (
        "they have no common history"
        if trial.mergeability is Mergeability.CONFLICTING
        else "git could not merge it"
    )


def _written(repository: GitRepository, commit: CommitText, spec: MergeSpec) -> str:
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {commit.author}", f"committer {spec.stamp}"]
    if commit.encoding:
        lines.append(f"encoding {commit.encoding}")
    return repository.write("\n".join(lines) + "\n\n" + commit.message)
