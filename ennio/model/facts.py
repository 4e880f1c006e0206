"""What was seen of a session, by whom and when. Facts in; decisions are made elsewhere.

Every observation is three-valued: alive, gone, or unknown. Unknown is not dead: it freezes. When it
was made is no part of what was seen: two looks that saw the same are equal.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from ennio.model.plan_window import PlanWindow
from ennio.model.pulls import PullRequest
from ennio.model.session import Activity, RuntimeHandle, Usage
from ennio.model.usage import Counted


class Presence(StrEnum):
    """Whether something is there: ``unknown`` when nobody could look."""

    ALIVE = "alive"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ProcessSeen:
    """The agent's process, as its runtime saw it.

    ``exit_code`` and ``signal`` are both None when it vanished without a word. ``output_at`` is
    when its terminal last changed. ``detail`` says why it is unknown. ``number`` is the launch it
    belongs to, where that is known. ``untried``: it is unknown because nobody has tried to look
    yet, which the next look settles. ``last_line`` is what it put out last, where it did not end
    well: words of the agent's, of which nothing steers a terminal.
    """

    presence: Presence
    at: datetime = field(compare=False)
    source: str
    pid: int | None = None
    exit_code: int | None = None
    signal: int | None = None
    output_at: datetime | None = None
    title: str = ""
    detail: str = ""
    number: int | None = None
    untried: bool = False
    last_line: str = ""

    @classmethod
    def unseen(
        cls, handle: RuntimeHandle | None, at: datetime, source: str, detail: str
    ) -> ProcessSeen:
        """The process of this handle where nobody could look."""
        pid = handle.data.get("pid", "") if handle is not None else ""
        return cls(
            Presence.UNKNOWN, at, source, pid=int(pid) if pid.isdigit() else None, detail=detail
        )

    def blind(self, at: datetime, detail: str, *, untried: bool = False) -> ProcessSeen:
        """The same process when nobody can see it any more."""
        return replace(self, presence=Presence.UNKNOWN, at=at, detail=detail, untried=untried)


@dataclass(frozen=True, slots=True)
class AgentSeen:
    """What the agent itself tells: through hooks, files, its API or its screen.

    ``activity`` None means it does not tell. ``ready`` is True once it can take a prompt or has
    begun with the one it was given. ``since`` is when the activity began. ``turns`` counts the
    turns it has ended. ``prompts`` counts the prompts it says it has taken. ``silent_since`` is set
    while it lives and yet neither its own word nor its screen says anything: the rest is what was
    last known. ``helpers`` counts those that the agent began itself and that are at work for it,
    also while its own turn is over. ``windows`` are those of the plan it works on, as far as it
    tells. ``options`` are the answers of which one is chosen, where it asks a question of its
    own: none where it asks for words, for several, or whether it may do something. ``counted`` is
    what a proxy counted of its requests, and how that stands to what it tells; None where it goes
    past none.
    """

    at: datetime = field(compare=False)
    source: str
    activity: Activity | None = None
    ready: bool = False
    since: datetime | None = None
    question: str | None = None
    summary: str | None = None
    turns: int = 0
    prompts: int = 0
    usage: Usage | None = None
    detail: str = ""
    silent_since: datetime | None = None
    helpers: int = 0
    windows: tuple[PlanWindow, ...] = ()
    options: tuple[str, ...] = ()
    counted: Counted | None = None

    @property
    def requesting(self) -> bool:
        """Whether a proxy sees a request to its model under way."""
        return self.counted is not None and self.counted.busy

    @property
    def requested_at(self) -> datetime | None:
        """When the last request that a proxy saw has ended."""
        return self.counted.quiet_since if self.counted is not None else None


@dataclass(frozen=True, slots=True)
class WorkspaceSeen:
    """The state of the working copy: what would be lost with it."""

    at: datetime = field(compare=False)
    exists: bool
    branch: str | None = None
    head: str | None = None
    uncommitted: int = 0
    unpushed: int = 0

    @property
    def settled(self) -> bool:
        """Nothing in it is only there."""
        return self.uncommitted == 0 and self.unpushed == 0


class Place(StrEnum):
    """What became of a working copy that was made: it stands, or what a person or an
    agent did to it meanwhile.
    """

    STANDING = "standing"
    GONE = "gone"
    MOVED = "moved"
    CUT_OFF = "cut_off"  # it does not lead to a repository any more
    BRANCHLESS = "branchless"  # the branch it is on was deleted
    DETACHED = "detached"
    ASTRAY = "astray"  # on another branch

    @property
    def usable(self) -> bool:
        """Whether an agent has files and a repository there."""
        return self not in (Place.GONE, Place.MOVED, Place.CUT_OFF)

    @property
    def takes_person(self) -> bool:
        """Whether an agent there can do nothing about it; the branch it is on it may choose."""
        return not self.usable or self is Place.BRANCHLESS


@dataclass(frozen=True, slots=True)
class PlaceSeen:
    """The working copy at a glance. ``detail`` says in words what is wrong with it, and the
    way out; empty for nothing.
    """

    at: datetime = field(compare=False)
    place: Place
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ForgeSeen:
    """What the forge told of the session's branch: a pull request, none, or it could not be asked.

    ``at`` is when it was seen; while it is unknown, since when nobody could see it, with
    ``pull`` as it was last. ``pushed`` is a commit of the session that came onto its base by a
    push, and by no merge of ours.
    """

    presence: Presence
    at: datetime = field(compare=False)
    source: str
    pull: PullRequest | None = None
    detail: str = ""
    pushed: str | None = None

    def blind(self, at: datetime, detail: str) -> ForgeSeen:
        """The same when nobody can see it any more; the first moment without a
        signal is the one that counts.
        """
        since = self.at if self.presence is Presence.UNKNOWN else at
        return replace(self, presence=Presence.UNKNOWN, at=since, detail=detail)


@dataclass(frozen=True, slots=True)
class Facts:
    """All that is known of one session; None where nobody has looked yet."""

    process: ProcessSeen | None = None
    agent: AgentSeen | None = None
    workspace: WorkspaceSeen | None = None
    forge: ForgeSeen | None = None
    place: PlaceSeen | None = None

    def adopted(self, at: datetime) -> Facts:
        """The facts after a restart: what was seen then is remembered but must be seen again."""
        detail = "not seen since the supervisor restarted"
        process = self.process and self.process.blind(at, detail, untried=True)
        forge = self.forge and self.forge.blind(at, detail)
        return replace(self, process=process, forge=forge)
