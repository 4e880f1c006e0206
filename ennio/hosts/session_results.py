"""What a host answers of a session: its kind of agent, and what came of making, launching and
removing it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from ennio.model.session import RuntimeHandle
from ennio.plugins.workspace.interface import UnsavedPath


@dataclass(frozen=True, slots=True)
class Traits:
    """What the lifecycle must know of an agent; see the fields of the agent slot's ``Agent``."""

    tells: bool
    watched: bool
    one_shot: bool


@dataclass(frozen=True, slots=True)
class CommandPreview:
    """What a launch would run: its command, and the names of the variables in its environment."""

    argv: tuple[str, ...]
    env: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkspaceMade:
    """A working copy that stands: where, and what the project's repository is called in it.

    ``note`` says what became of the last commit that was seen of its branch, ``lost`` that the
    branch does not have it.
    """

    path: str
    remote: str
    note: str = ""
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch that stands; ``begun`` is when it was asked for.

    ``carried``: the words given are part of its command. ``words`` is the prompt of a first launch,
    or of an agent that remembers nothing, where no message is there to bring it.
    """

    handle: RuntimeHandle
    number: int
    begun: datetime
    carried: bool
    words: str | None


@dataclass(frozen=True, slots=True)
class WorkspaceRemoved:
    """What a removal did, or would do. See the workspace slot's ``Removed``."""

    path: str
    size: int
    preserved: str | None = None
    unsaved: tuple[UnsavedPath, ...] = ()
