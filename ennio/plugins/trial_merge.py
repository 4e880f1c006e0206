"""Trial merges: what would come of merging two commits, by ``git merge-tree``, which moves nothing.

It takes git 2.38. From 2.39 on one process tries as many pairs as are given; before that it takes
one for each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ennio.model.errors import Refused
from ennio.model.pulls import Mergeability
from ennio.plugins.git import Git, GitOutput

Pair = tuple[str, str]
_MERGE = ("merge-tree", "--write-tree")
_NAMES = ("--name-only", "--no-messages")
_USAGE = 129  # git's exit code for an option that it does not know


@dataclass(frozen=True, slots=True)
class TrialMerge:
    """What comes of merging two commits: the tree, or the files that conflict.

    ``detail`` says why it is not known.
    """

    mergeability: Mergeability
    tree: str | None = None
    conflicts: tuple[str, ...] = ()
    detail: str = ""


def try_merges(git: Git, pairs: Sequence[Pair], timeout: float) -> Mapping[Pair, TrialMerge]:
    """What comes of each (base, head), in one process unless a pair cannot be tried.

    Git gives up at such a pair: one without a common history counts as conflicting, one whose
    commits are not there is unknown, and the rest is asked again. Raises TimedOut when a process
    takes so many seconds, Refused where git is too old.
    """
    trials: dict[Pair, TrialMerge] = {}
    waiting = list(dict.fromkeys(pairs))
    while waiting:
        lines = "".join(f"{base} {head}\n" for base, head in waiting)
        output = git.run(*_MERGE, "--stdin", *_NAMES, input=lines, timeout=timeout, check=False)
        if output.code == _USAGE:
            return trials | {pair: _tried_alone(git, pair, timeout) for pair in waiting}
        found = parsed(output.stdout)[: len(waiting)]
        trials.update(zip(waiting, found, strict=False))
        del waiting[: len(found)]
        if waiting:
            trials[waiting.pop(0)] = _unmergeable(output)
    return trials


def _tried_alone(git: Git, pair: Pair, timeout: float) -> TrialMerge:
    output = git.run(*_MERGE, "-z", *_NAMES, *pair, timeout=timeout, check=False)
    if output.code == _USAGE:
        version = git.run("version").text.removeprefix("git version ")
        raise Refused(
            f"git {version} cannot try a merge without a working copy: that takes git 2.38 or "
            "later (`ennio doctor` shows which git is used)"
        )
    if output.code not in (0, 1) or not output.fields:
        return _unmergeable(output)
    return _trial("1" if output.ok else "0", output.fields[0], output.fields[1:])


def parsed(text: str) -> list[TrialMerge]:
    """Read ``merge-tree --stdin``: per pair a status, a tree, the
    conflicting files, an empty field.
    """
    trials: list[TrialMerge] = []
    fields = text.split("\0")
    while len(fields) > 2:
        end = fields.index("", 2) if "" in fields[2:] else len(fields)
        trials.append(_trial(fields[0], fields[1], fields[2:end]))
        fields = fields[end + 1 :]
    return trials


def _trial(status: str, tree: str, files: Sequence[str]) -> TrialMerge:
    if status == "1":
        return TrialMerge(Mergeability.CLEAN, tree)
    return TrialMerge(Mergeability.CONFLICTING, tree, tuple(dict.fromkeys(files)))


def _unmergeable(output: GitOutput) -> TrialMerge:
    if "unrelated histories" in output.stderr:
        return TrialMerge(Mergeability.CONFLICTING, detail="they have no common history")
    return TrialMerge(Mergeability.UNKNOWN, detail=output.stderr.strip()[-500:])
