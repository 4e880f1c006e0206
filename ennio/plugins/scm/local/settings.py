"""What a project may set for the local forge under ``scm.config``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from difflib import get_close_matches
from typing import Any

from ennio.config.quantity import seconds
from ennio.model.errors import ConfigError, Problem
from ennio.model.pulls import MergeMethod

CHECK_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,63}\Z")
MOST_SLOTS = 64
_NAME_RULE = "write up to 64 letters, digits, blanks, dots, dashes and underscores, a letter or digit first"


@dataclass(frozen=True, slots=True)
class CheckCommand:
    """One check: a shell command run on a clean check-out of a head; exit code 0 passes."""

    name: str
    run: str
    timeout: float = 600.0


@dataclass(frozen=True, slots=True)
class LocalForgeSettings:
    """How the local forge behaves for one project.

    ``check_slots`` is how many checks run at once. ``draft`` is for pull requests it opens by itself.
    ``delete_branch``: a merged branch goes. ``dismiss_stale``: an approval of an earlier head counts no longer.
    """

    checks: tuple[CheckCommand, ...] = ()
    merge_method: MergeMethod = MergeMethod.SQUASH
    review_required: bool = False
    auto_open: bool = True
    draft: bool = False
    check_slots: int = 2
    delete_branch: bool = True
    dismiss_stale: bool = True

    def judged(self, head: str) -> str | None:
        """The head an approval has to be of; None: of any."""
        return head if self.dismiss_stale else None


def parse(config: Mapping[str, Any]) -> LocalForgeSettings:
    """Read ``scm.config``. Raises ConfigError with every problem at once."""
    problems: list[Problem] = []
    _reject_unknown(config, [field.name for field in fields(LocalForgeSettings)], "", problems)
    values: dict[str, Any] = {}
    for key, read in _READERS.items():
        if config.get(key) is not None:
            values[key] = read(config[key], key, problems)
    if problems:
        raise ConfigError("scm.config", problems)
    return LocalForgeSettings(**values)


def _reject_unknown(config: Mapping[str, Any], known: Sequence[str], path: str, problems: list[Problem]) -> None:
    for key in config:
        if key not in known:
            near = get_close_matches(str(key), known, n=1)
            way_out = f"did you mean {near[0]}?" if near else f"known are {', '.join(known)}"
            problems.append(Problem(f"{path}{key}", f"unknown key; {way_out}"))


def _yes_or_no(value: object, path: str, problems: list[Problem]) -> bool:
    if not isinstance(value, bool):
        problems.append(Problem(path, f"{value!r} is not true or false"))
    return bool(value)


def _method(value: object, path: str, problems: list[Problem]) -> MergeMethod:
    try:
        return MergeMethod(str(value))
    except ValueError:
        problems.append(Problem(path, f"{value!r} is not a merge method: write squash, merge or rebase"))
        return MergeMethod.SQUASH


def _slots(value: object, path: str, problems: list[Problem]) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MOST_SLOTS:
        problems.append(Problem(path, f"{value!r} is not a number from 1 to {MOST_SLOTS}"))
        return 1
    return value


def _checks(value: object, path: str, problems: list[Problem]) -> tuple[CheckCommand, ...]:
    if not isinstance(value, (list, tuple)):
        problems.append(Problem(path, "is not a list: write one entry with name and run for each check"))
        return ()
    checks = [_check(entry, f"{path}[{index}]", problems) for index, entry in enumerate(value)]
    seen: set[str] = set()
    for index, check in enumerate(checks):
        if check.name.lower() in seen:
            problems.append(Problem(f"{path}[{index}].name", f"there is a check {check.name!r} already (letter case does not count)"))
        seen.add(check.name.lower())
    return tuple(checks)


def _check(entry: object, path: str, problems: list[Problem]) -> CheckCommand:
    if not isinstance(entry, Mapping):
        problems.append(Problem(path, "is not a check: write name: and run:"))
        return CheckCommand(path, "")
    _reject_unknown(entry, ("name", "run", "timeout"), f"{path}.", problems)
    name, run = entry.get("name"), entry.get("run")
    if not isinstance(name, str) or not CHECK_NAME.match(name):
        problems.append(Problem(f"{path}.name", f"{name!r} is no name for a check: {_NAME_RULE}"))
        name = path
    if not isinstance(run, str) or not run.strip():
        problems.append(Problem(f"{path}.run", "is missing: write the shell command that decides, such as make test"))
        run = ""
    return CheckCommand(name, run, _timeout(entry.get("timeout", CheckCommand("", "").timeout), f"{path}.timeout", problems))


def _timeout(value: object, path: str, problems: list[Problem]) -> float:
    try:
        limit = seconds(value)
    except ValueError as error:
        problems.append(Problem(path, f"{value!r} {error}"))
        return 1.0
    if limit <= 0:
        problems.append(Problem(path, f"{value!r} leaves no time; write for example 10m"))
    return limit


_READERS: Mapping[str, Callable[[Any, str, list[Problem]], object]] = {
    "checks": _checks,
    "merge_method": _method,
    "review_required": _yes_or_no,
    "auto_open": _yes_or_no,
    "draft": _yes_or_no,
    "check_slots": _slots,
    "delete_branch": _yes_or_no,
    "dismiss_stale": _yes_or_no,
}
