"""Names of branches: which ones git allows, and the one an issue gets."""

from __future__ import annotations

import re
import unicodedata

from ennio.errors import Invalid

LONGEST_ISSUE_BRANCH = 50
_LONGEST_ID = 30
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f~^:?*\[\\]|\.\.|@\{|//")


def issue_branch(issue_id: str, title: str) -> str:
    """The branch for an issue: ``issue-42-short-title``, at most 50 characters, always a valid name.

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
    wrong = _wrong(name)
    if wrong:
        raise Invalid(f"branch: {name!r} is not a name git accepts for a branch: {wrong}; try for example fix-login or feature/login")


def _wrong(name: str) -> str | None:
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
