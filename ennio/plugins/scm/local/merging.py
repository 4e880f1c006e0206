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
from ennio.plugins.scm.local.repository import CommitText, Repository, Trial


@dataclass(frozen=True, slots=True)
class Order:
    """A merge that is wanted: the pull request, onto which commit of its base, how, by whom, when."""

    row: PullRow
    base_head: str
    method: MergeMethod
    committer: str
    at: datetime

    @property
    def stamp(self) -> str:
        """The committer with the time, as git writes it."""
        return f"{self.committer} {int(self.at.timestamp())} +0000"


def build(repository: Repository, order: Order) -> str:
    """Write the commit that the base will point to and return its name; no branch moves.

    Raises Conflict naming the files, or saying why the commits cannot be replayed.
    """
    trial = _tried(repository, order.base_head, order.row.head)
    if trial.tree is None or trial.mergeability is not Mergeability.CLEAN:
        raise Conflict(f"#{order.row.number} cannot be merged into {order.row.base}: {_reason(trial)}")
    if order.method is MergeMethod.REBASE:
        return _replay(repository, order, trial.tree)
    return _join(repository, order, trial.tree)


def _join(repository: Repository, order: Order, tree: str) -> str:
    if order.method is MergeMethod.SQUASH:
        tip = repository.commit(order.row.head)
        return _written(repository, CommitText(tree, (order.base_head,), tip.author, None, message(order)), order)
    parents = (order.base_head, order.row.head)
    return _written(repository, CommitText(tree, parents, order.stamp, None, message(order)), order)


def message(order: Order) -> str:
    """The words of a squash or merge commit, with trailers that lead back to the pull request."""
    row = order.row
    squashed = order.method is MergeMethod.SQUASH
    title = f"{row.title} (#{row.number})" if squashed else f"Merge #{row.number} from {row.branch}\n\n{row.title}"
    body = f"\n\n{row.body.strip()}" if row.body.strip() else ""
    return f"{title}{body}\n\nEnnio-Pull: {row.project_id}#{row.number}\nEnnio-Head: {row.head}\n"


def _replay(repository: Repository, order: Order, expected_tree: str) -> str:
    """The branch's commits on top of the base; refused when that gives another result than merging."""
    tip = order.base_head
    for name in repository.commits(order.base_head, order.row.head):
        tip = _picked(repository, order, name, tip)
    if repository.commit(tip).tree != expected_tree:
        raise _unreplayable(order, "replaying its commits gives another result than merging it")
    return tip


def _picked(repository: Repository, order: Order, name: str, onto: str) -> str:
    commit, below = repository.commit(name), repository.commit(onto)
    if commit.parents == (onto,):
        return name
    stand_in = _written(repository, CommitText(below.tree, commit.parents, order.stamp, None, "stand-in\n"), order)
    trial = _tried(repository, stand_in, name)
    if trial.tree is None or trial.mergeability is not Mergeability.CLEAN:
        raise _unreplayable(order, f"commit {name[:10]} ({commit.subject}) {_reason(trial)}")
    if trial.tree == below.tree:
        return onto
    return _written(repository, replace(commit, tree=trial.tree, parents=(onto,)), order)


def _unreplayable(order: Order, why: str) -> Conflict:
    return Conflict(f"#{order.row.number} cannot be rebased: {why}; merge it with squash")


def _tried(repository: Repository, base: str, head: str) -> Trial:
    return repository.try_merges([(base, head)])[base, head]


def _reason(trial: Trial) -> str:
    if trial.conflicts:
        return f"conflicts in {', '.join(trial.conflicts)}"
    return "they have no common history" if trial.mergeability is Mergeability.CONFLICTING else "git could not merge it"


def _written(repository: Repository, commit: CommitText, order: Order) -> str:
    lines = [f"tree {commit.tree}", *(f"parent {parent}" for parent in commit.parents)]
    lines += [f"author {commit.author}", f"committer {order.stamp}"]
    if commit.encoding:
        lines.append(f"encoding {commit.encoding}")
    return repository.write("\n".join(lines) + "\n\n" + commit.message)
