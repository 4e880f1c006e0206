"""What a key asks for besides another view; the loop carries it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Act:
    """An operation of the API about one session; ``told`` is the command that does the same.

    ``once``: it takes a key, and is sent again where its answer is lost.
    """

    id: str
    method: str
    path: str
    body: Mapping[str, object] | None = None
    told: str = ""
    once: bool = False


@dataclass(frozen=True, slots=True)
class LookInto:
    """What the pane shows of a session is asked for."""

    id: str
    tab: str


@dataclass(frozen=True, slots=True)
class Attach:
    """The person goes into the terminal of a session, and comes back."""

    id: str


@dataclass(frozen=True, slots=True)
class ShowDiff:
    """What a session changes, in a pager."""

    id: str


@dataclass(frozen=True, slots=True)
class Browse:
    """A page in the browser: this address, or where there is none this page of the dashboard."""

    url: str
    page: str = "/"


@dataclass(frozen=True, slots=True)
class Copy:
    """Into the clipboard of the terminal."""

    text: str


@dataclass(frozen=True, slots=True)
class WritePrompt:
    """A prompt is written in an editor, for a session of this project."""

    project: str


@dataclass(frozen=True, slots=True)
class Spawn:
    """A session is begun, or only shown as it would be."""

    project: str
    prompt: str
    dry: bool


@dataclass(frozen=True, slots=True)
class Quit:
    """The board ends."""


@dataclass(frozen=True, slots=True)
class Repaint:
    """Everything is drawn anew."""


Order = Act | LookInto | Attach | ShowDiff | Browse | Copy | WritePrompt | Spawn | Quit | Repaint
