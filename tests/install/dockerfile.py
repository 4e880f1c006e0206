"""A Dockerfile read as an engine reads it, as far as ours goes; what an engine would refuse is
refused.
"""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

_KNOWN = frozenset(
    {"FROM", "RUN", "COPY", "ENV", "USER", "WORKDIR", "VOLUME", "EXPOSE", "ENTRYPOINT", "CMD"}
    | {"ARG", "LABEL", "ADD", "SHELL", "STOPSIGNAL", "HEALTHCHECK", "ONBUILD"}
)


@dataclass(frozen=True, slots=True)
class Instruction:
    """One of them, its lines joined."""

    name: str
    text: str

    @property
    def words(self) -> list[str]:
        """The exec form of it. Raises AssertionError for a shell form, ValueError for no JSON."""
        assert self.text.startswith("["), f"{self.name} {self.text}: a shell would stand between"
        found = json.loads(self.text)
        assert found
        assert all(isinstance(word, str) for word in found)
        return list(found)


@dataclass(frozen=True, slots=True)
class Stage:
    """From one FROM to the next."""

    image: str
    name: str
    instructions: Sequence[Instruction]

    def texts(self, name: str) -> list[str]:
        return [one.text for one in self.instructions if one.name == name]

    def only(self, name: str) -> Instruction:
        (found,) = [one for one in self.instructions if one.name == name]
        return found

    @property
    def environment(self) -> dict[str, str]:
        return dict(word.split("=", 1) for text in self.texts("ENV") for word in text.split())

    @property
    def packages(self) -> list[str]:
        """What it installs by apt."""
        found = re.findall(r"apt-get install ([^&;]+)", ";".join(self.texts("RUN")))
        return [word for words in found for word in words.split() if not word.startswith("-")]


def instructions(text: str) -> Iterator[Instruction]:
    """Each in order. Raises AssertionError for one that there is not, and for a line left open."""
    lines = [line for line in text.splitlines() if not re.match(r"\s*(#|$)", line)]
    whole = ""
    for line in lines:
        whole += line.rstrip().removesuffix("\\") if line.rstrip().endswith("\\") else line
        if line.rstrip().endswith("\\"):
            continue
        name, _, rest = whole.strip().partition(" ")
        assert name in _KNOWN, f"{name} is no instruction"
        assert rest.strip(), f"{name} says nothing"
        yield Instruction(name, rest.strip())
        whole = ""
    assert not whole, f"nothing follows {whole!r}"


def stages(text: str) -> list[Stage]:
    """All of them. Raises AssertionError where something stands before the first, or copies from
    one that is not before it.
    """
    found: list[Stage] = []
    for one in instructions(text):
        if one.name == "FROM":
            matched = re.fullmatch(r"(\S+)(?: AS (\S+))?", one.text)
            assert matched, one.text
            found.append(Stage(matched[1], matched[2] or "", []))
            continue
        assert found, f"{one.name} stands before any FROM"
        source = re.match(r"--from=(\S+)", one.text)
        assert not source or source[1] in {stage.name for stage in found[:-1]}, one.text
        found[-1] = Stage(found[-1].image, found[-1].name, (*found[-1].instructions, one))
    return found


def hidden(path: str, ignored: Sequence[str]) -> bool:
    """Whether a file is kept from an engine by these patterns, by itself or a folder around it."""
    places = [str(place) for place in (Path(path), *Path(path).parents) if str(place) != "."]
    return any(
        fnmatch.fnmatchcase(place, pattern)
        or (pattern.startswith("**/") and fnmatch.fnmatchcase(Path(place).name, pattern[3:]))
        for place in places
        for pattern in ignored
        if "/" in pattern or "/" not in place
    )
