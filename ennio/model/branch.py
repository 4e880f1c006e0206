"""Names of branches: which ones git allows, which ones no session works on,
and the one an issue gets.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from ennio.model.errors import Invalid, Refused

LONGEST_ISSUE_BRANCH = 50
_LONGEST_ID = 30
_ELSEWHERE = re.compile(r"(?:refs/heads/|heads/|(?:refs/)?remotes/[^/]+/|refs/|origin/)(?=.)")
"""How git names a branch from elsewhere; as the name of a branch itself it would
only look like that one.
"""
_REMOTES = ("upstream", "ennio")
"""Further names that people and `ennio init` give to a remote; a branch may begin with them, but
not hide a protected one.
"""
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def issue_branch(issue_id: str, title: str) -> str:
    """The branch for an issue: ``issue-42-short-title``, at most 50
    characters, always a valid name.

    Ids are cleaned the same way as titles; whole words are kept where they fit.
    """
    name = f"issue-{_words(issue_id)[:_LONGEST_ID].strip('-') or 'x'}"
    for word in filter(None, _words(title).split("-")):
        if len(name) + 1 + len(word) > LONGEST_ISSUE_BRANCH:
            break
        name = f"{name}-{word}"
    return name


def _words(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")


def check_branch(name: str) -> None:
    """Raise Invalid unless git accepts the name for a branch (``git check-ref-format --branch``).

    Stricter in one thing: ``@`` alone, which git reads as HEAD almost everywhere, is no name.
    """
    wrong = wrong_with(name)
    if wrong:
        raise Invalid(
            f"branch: {name!r} is not a name git accepts for a branch: {wrong}; try for example "
            "fix-login or feature/login"
        )


def wrong_with(name: str) -> str | None:
    """Why git would not take a name for a branch; None when it would."""
    forbidden = _FORBIDDEN.search(name)
    parts = name.split("/")
    rules = (
        (not name, "it is empty"),
        (name in ("HEAD", "@"), "git means the current commit by it"),
        (name.startswith("-"), "it begins with a dash"),
        (forbidden is not None, f"it contains {forbidden.group() if forbidden else ''!r}"),
        (name.startswith("/") or name.endswith("/"), "it begins or ends with a slash"),
        (name.endswith("."), "it ends with a dot"),
        (any(part.startswith(".") for part in parts), "a part begins with a dot"),
        (any(part.endswith(".lock") for part in parts), "a part ends with .lock"),
    )
    return next((words for broken, words in rules if broken), None)


def check_work_branch(name: str, default: str, protected: Sequence[str] = ()) -> None:
    """Raise unless a session may work on this branch: Invalid for what is no name, Refused for a
    branch that is kept from it.

    ``protected`` are patterns beside the default branch; ``*`` stands for slashes too. Letter case
    does not count: where file names do not tell it apart, git takes ``Main`` for ``main``.
    """
    check_branch(name)
    refuse_protected(name, default, protected)
    if blocker(_folded(name), [_folded(default)]) is not None:
        raise Refused(f"branch: {blocked(name, default)}: choose another name")
    if (plain := bare(name)) != name:
        raise Invalid(
            f"branch: {name!r} is how git names the branch {plain} from elsewhere; write {plain}"
        )


def refuse_protected(name: str, default: str, protected: Sequence[str] = ()) -> None:
    """Raise Refused for a branch that no session works on, however it is spelled."""
    plain = bare(name)
    kept = protector(plain, default, protected)
    if kept is not None:
        meant = f"branch: {name}" if plain == name else f"branch: {name} means {plain}, which"
        raise Refused(
            f"{meant} is {kept}; a session works on a branch of its own, and a pull request "
            "brings it there: choose another name"
        )


def protector(name: str, default: str, protected: Sequence[str] = ()) -> str | None:
    """Why a branch is protected, in words that follow "is"; None when it is not."""
    remote, _, rest = name.partition("/")
    names = {_folded(name), _folded(rest) if remote in _REMOTES else _folded(name)}
    if _folded(default) in names:
        return (
            "the default branch"
            if name == default
            else f"the default branch {default} in other letters or of a remote"
        )
    pattern = next(
        (one for one in protected if any(fnmatchcase(each, _folded(one)) for each in names)), None
    )
    return f"protected (protected_branches: {pattern})" if pattern is not None else None


def bare(name: str) -> str:
    """The branch that is meant: without ``refs/heads/``, ``origin/`` and their like."""
    while found := _ELSEWHERE.match(name):
        name = name[found.end() :]
    return name


def blocker(name: str, others: Iterable[str]) -> str | None:
    """A branch beside which git can make none of this name, as one is a folder of the other's name;
    None when there is none.
    """
    return next(
        (one for one in others if one.startswith(f"{name}/") or name.startswith(f"{one}/")), None
    )


def blocked(name: str, other: str) -> str:
    """That git has no place for a branch beside this one."""
    return (
        f"{name} cannot be made while there is a branch {other}, as git keeps what stands before a "
        "slash as a folder"
    )


def twin(name: str, others: Iterable[str]) -> str | None:
    """A branch that this one is taken for, or whose folder its own is, where file names do not tell
    letter case apart; None when there is none. A branch is no twin of itself.
    """
    return next((other for other in others if _is_twin(name.split("/"), other.split("/"))), None)


def _is_twin(name: Sequence[str], other: Sequence[str]) -> bool:
    differing = ((one, two) for one, two in zip(name, other, strict=False) if one != two)
    one, two = next(differing, ("", ""))
    return one != two and _folded(one) == _folded(two)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()
