"""Stories for the scripted agent: read from YAML, JSON or the configuration,
checked, written plainly.

A story is a list of turns (or a mapping with ``turns``). A turn says when it is played (``on``,
``when``, ``times``) and what happens then (``steps``). A step is a mapping of one name to its
fields, or to the one value of its main field: ``say: hello`` is ``say: {text: hello}``; a step
without fields is its name alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ennio.config.fields import hint
from ennio.config.quantity import seconds
from ennio.config.text_fields import no_text
from ennio.config.yaml_source import plain
from ennio.machine.untrusted import content
from ennio.model.errors import ConfigError, Problem
from ennio.plugins.agent.scripted.cue import KINDS


@dataclass(frozen=True, slots=True)
class Step:
    """The fields of one step: which there are, the main one, and which it cannot do without."""

    fields: Mapping[str, type | tuple[type, ...]]
    main: str | None = None
    needs: tuple[str, ...] = ()


LARGEST = 256 * 1024  # bytes of a story file
_NUMBER = (int, float)
STEPS: Mapping[str, Step] = {
    "say": Step({"text": str}, "text", ("text",)),
    "think": Step({"seconds": _NUMBER}, "seconds", ("seconds",)),
    "edit": Step({"file": str, "content": str, "append": str, "replace": dict}, None, ("file",)),
    "delete": Step({"file": str}, "file", ("file",)),
    "commit": Step({"message": str}, "message", ("message",)),
    "push": Step({"force": bool}, "force"),
    "pull": Step({"base": str, "resolve": dict, "otherwise": str}, "base"),
    "rebase": Step({"base": str, "resolve": dict, "otherwise": str}, "base"),
    "run": Step({"argv": list, "may_fail": bool}, "argv", ("argv",)),
    "ask": Step({"question": str, "options": list}, "question", ("question",)),
    "summary": Step({"text": str}, "text", ("text",)),
    "error": Step({"text": str, "seconds": _NUMBER}, "text", ("text",)),
    "burn": Step(
        {"input": int, "output": int, "cost": (int, float, str), "lines": int, "model": str}
    ),
    "window": Step(
        {"name": str, "account": str, "used": _NUMBER, "resets_in": (int, float, str)}, "resets_in"
    ),
    "helpers": Step({"count": int}, "count", ("count",)),
    "request": Step(
        {"words": str, "api": str, "model": str, "tries": int, "every": _NUMBER}, "words"
    ),
    "junk": Step({"bytes": int, "transcript": bool}, "bytes", ("bytes",)),
    "flood": Step({"lines": int}, "lines", ("lines",)),
    "background": Step({"seconds": _NUMBER}, "seconds", ("seconds",)),
    "hang": Step({}),
    "crash": Step({"code": int, "signal": int}, "code"),
    "exit": Step({"code": int}, "code"),
}
APIS = ("messages", "chat")
_TURN = ("on", "when", "times", "steps")

DEFAULT: tuple[Mapping[str, Any], ...] = (
    {
        "on": "prompt",
        "steps": [
            {"say": "I have read the task and write down what it asks for."},
            {"think": 2},
            {"edit": {"file": "{session}.md", "content": "# {session}\n\n{prompt}\n"}},
            {"burn": {"input": 1200, "output": 300, "cost": "0.0081"}},
            {"commit": "Add {session}.md"},
            "push",
            {"summary": "Wrote {session}.md and pushed {branch}."},
        ],
    },
    {
        "on": "merge_conflicts",
        "steps": [
            {"say": "I merge the base branch."},
            {"pull": {"otherwise": "ours"}},
            "push",
            {"summary": "Merged the base branch."},
        ],
    },
    {
        "on": "message",
        "steps": [
            {"say": "I take this in and push again."},
            {"think": 1},
            {"edit": {"file": "{session}.md", "append": "\n## A message\n\n{prompt}\n"}},
            {"burn": {"input": 600, "output": 150, "cost": "0.0041"}},
            {"commit": "Take in a message"},
            "push",
            {"summary": "Took in a message and pushed."},
        ],
    },
)


def read(path: Path) -> list[dict[str, Any]]:
    """The turns of a story file. Raises ConfigError with everything that is wrong in it."""
    try:
        told = plain(content(path, LARGEST), LARGEST)
    except OSError as error:
        raise ConfigError(str(path), [Problem("", f"cannot be read: {error.strerror}")]) from error
    except ValueError as error:
        raise ConfigError(str(path), [Problem("", f"cannot be read: {error}")]) from error
    return turns(told, str(path))


def turns(content: object, source: str) -> list[dict[str, Any]]:
    """The turns in the one plain form the player reads. Raises ConfigError with
    everything that is wrong.
    """
    told = content.get("turns") if isinstance(content, Mapping) else content
    if not isinstance(told, list | tuple) or not told:
        raise ConfigError(
            source, [Problem("", "a story is a list of turns, each with `on` and `steps`")]
        )
    problems: list[Problem] = []
    plain = [_turn(turn, f"turns[{number}]", problems) for number, turn in enumerate(told)]
    if problems:
        raise ConfigError(source, problems)
    return plain


def _turn(turn: object, path: str, problems: list[Problem]) -> dict[str, Any]:
    if not isinstance(turn, Mapping):
        problems.append(Problem(path, "must be a mapping with `on` and `steps`"))
        return {}
    turn = {
        ("on" if key is True else key): value for key, value in turn.items()
    }  # YAML 1.1 reads `on` as true
    problems += [
        Problem(f"{path}.{key}", _unknown(str(key), _TURN)) for key in turn if key not in _TURN
    ]
    kind = str(turn.get("on", "any" if "when" in turn else "prompt")).replace("-", "_")
    if kind not in KINDS:
        problems.append(Problem(f"{path}.on", _unknown(kind, KINDS)))
    when, times, steps = turn.get("when"), turn.get("times"), turn.get("steps") or []
    if when is not None:
        _check_pattern(when, f"{path}.when", problems)
    if times is not None and (not isinstance(times, int) or times < 1):
        problems.append(Problem(f"{path}.times", f"must be a whole number from 1, not {times!r}"))
    if not isinstance(steps, list | tuple):
        problems.append(Problem(f"{path}.steps", "must be a list"))
        steps = []
    return {
        "on": kind,
        "when": when,
        "times": times,
        "steps": [_step(s, f"{path}.steps[{n}]", problems) for n, s in enumerate(steps)],
    }


def _step(step: object, path: str, problems: list[Problem]) -> dict[str, Any]:
    named = {step: {}} if isinstance(step, str) else step
    if not isinstance(named, Mapping) or len(named) != 1:
        problems.append(Problem(path, "must be one step with its fields, like `say: hello`"))
        return {}
    name, given = next(iter(named.items()))
    kind = STEPS.get(name)
    if kind is None:
        problems.append(Problem(path, _unknown(str(name), STEPS)))
        return {}
    if not isinstance(given, Mapping) or (name == "edit" and "file" not in given):
        given = {} if given is None else {kind.main: given} if kind.main else given
    if not isinstance(given, Mapping):
        problems.append(
            Problem(f"{path}.{name}", f"takes a mapping of {', '.join(kind.fields) or 'nothing'}")
        )
        return {}
    problems += [Problem(f"{path}.{name}", text) for text in _faults(name, kind, given)]
    return {"do": name, **_seconds(given)}


def _seconds(given: Mapping[Any, Any]) -> Mapping[Any, Any]:
    """The fields with a length of time in seconds, where it is one."""
    try:
        return {**given, "resets_in": seconds(given["resets_in"])}
    except (KeyError, ValueError):
        return given


def _faults(name: str, kind: Step, given: Mapping[Any, Any]) -> Iterable[str]:
    for key, value in given.items():
        if key not in kind.fields:
            yield _unknown(str(key), kind.fields)
        elif not isinstance(value, kind.fields[key]) or (
            isinstance(value, bool) and kind.fields[key] is not bool
        ):
            yield f"`{key}` cannot be {value!r}"
    yield from _no_words(given.get("options"), "options")
    yield from _no_words(given.get("argv"), "argv", int, float)
    yield from (f"`{key}` is missing" for key in kind.needs if key not in given)
    yield from (
        f"{file!r} leads out of the working copy" for file in _files(given) if _is_outside(file)
    )
    if name == "request" and given.get("api", APIS[0]) not in APIS:
        yield f"`api` is one of {', '.join(APIS)}"
    if name == "edit" and len({"content", "append", "replace"} & given.keys()) != 1:
        yield "needs one of `content`, `append` and `replace: {old, new}`"
    if name == "edit" and "replace" in given and not _texts(given["replace"], {"old", "new"}):
        yield "`replace` needs the texts `old` and `new`"
    if isinstance(given.get("resets_in"), str):
        try:
            seconds(given["resets_in"])
        except ValueError as error:
            yield f"`resets_in` {error}"
    if given.get("otherwise", "ours") not in ("ours", "theirs"):
        yield "`otherwise` is `ours` or `theirs`"


def _no_words(items: object, key: str, *also: type) -> Iterable[str]:
    """What of a list is no text, and so not the word that was written: ``yes`` is true to YAML."""
    for item in items if isinstance(items, list) else ():
        if isinstance(item, bool) or not isinstance(item, (str, *also)):
            yield f"`{key}`: " + (
                "one of them is empty" if item is None else _told(item, no_text(item))
            )


def _told(item: object, words: str) -> str:
    """``True`` is how Python writes what stands there as ``yes``, ``on`` or ``true``."""
    said = str(item).lower() if isinstance(item, bool) else str(item)
    return words.replace("{value}", f"`{said}`") if "{value}" in words else f"one of them {words}"


def _files(given: Mapping[Any, Any]) -> Iterable[str]:
    resolve = given.get("resolve")
    return [
        file
        for file in (given.get("file"), *(resolve if isinstance(resolve, Mapping) else ()))
        if isinstance(file, str)
    ]


def _is_outside(file: str) -> bool:
    path = PurePosixPath(file)
    return path.is_absolute() or ".." in path.parts or ".git" in path.parts


def _texts(value: object, keys: set[str]) -> bool:
    return (
        isinstance(value, Mapping)
        and value.keys() == keys
        and all(isinstance(text, str) for text in value.values())
    )


def _check_pattern(when: object, path: str, problems: list[Problem]) -> None:
    try:
        re.compile(when if isinstance(when, str) else "(")
    except re.error as error:
        problems.append(Problem(path, f"{when!r} is no regular expression: {error}"))


def _unknown(name: str, known: Iterable[str]) -> str:
    return f"{name!r} is unknown: {hint(name, list(known))}"


def by_place(told: object, problems: Iterable[Problem]) -> dict[Any, Any]:
    """The problems of a story that stands in the configuration, by key and index,
    as marshmallow has them.
    """
    tree: dict[Any, Any] = {}
    for problem in problems:
        steps = [
            int(step) if step.isdigit() else step
            for step in re.findall(r"[A-Za-z_]\w*|\d+", problem.path)
        ]
        branch = tree
        for step in steps if isinstance(told, Mapping) else steps[1:]:
            branch = branch.setdefault(step, {})
        branch.setdefault("_schema", []).append(problem.message)
    return tree
