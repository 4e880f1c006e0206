"""The agent slot: how one kind of coding agent is started, spoken to and understood.

A prompt is not a turn: giving an agent words and learning that it has finished with them are two
things. The plugin builds commands and reads what the agent left behind; it starts nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol, runtime_checkable

from ennio.config.model import AgentConfig
from ennio.machine.interface import Machine
from ennio.machine.places import person
from ennio.model.answer import Answer
from ennio.model.facts import AgentSeen, ProcessSeen
from ennio.model.failpoints import failpoint
from ennio.model.usage import Billing, RequestUsage
from ennio.plugins.agent.box import InputBox
from ennio.plugins.runtime.interface import Key, View


@dataclass(frozen=True, slots=True)
class AgentContext:
    """What an agent plugin may know of a session.

    ``workspace`` is where it works, without links in its path: so the agent knows it, too.
    ``directory`` is the session's own 0700 folder, outside of the workspace: whatever the plugin
    needs to write goes there, never into the user's files. ``conversation`` is a uuid that stays
    the same over resumes. ``system`` holds the rules that stand above every prompt.
    """

    session_id: str
    project_id: str
    workspace: Path
    directory: Path
    conversation: str
    config: AgentConfig
    system: str = ""
    branch: str = ""
    base: str = ""
    home: Path = field(default_factory=person)
    machine: Machine = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """How to start an agent. ``carries`` is True when the words given are part of it.

    ``env`` is added to the cleared environment. ``files`` (0600) are written before the start,
    their paths inside ``context.directory``.
    """

    argv: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    carries: bool = False


@dataclass(frozen=True, slots=True)
class Reading:
    """What one look brought: the facts, and where to go on reading next time (kept by the caller).

    ``until`` is when the facts change by the clock alone, as when a silence becomes too long; None
    when they do not. ``requests`` are those it told of since the last look, also those told of
    before that have grown; None for an agent that tells only what it has used in all. ``billing``
    is who pays for what it uses, as far as that is known.
    """

    seen: AgentSeen
    cursor: Mapping[str, str]
    until: datetime | None = None
    requests: tuple[RequestUsage, ...] | None = None
    billing: Billing = Billing.METERED


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file or folder that is an agent's own: in a sandbox it can be read there, or written to.

    Never ``writable``: what the same agent obeys elsewhere, settings or programs. ``folder``:
    it is one, and made if it is not there. ``hidden``: it is not in the sandbox, and what we do for
    the agent outside needs it, such as a lock.
    """

    path: Path
    writable: bool = False
    folder: bool = False
    hidden: bool = False


class Agent(Protocol):
    """One kind of coding agent."""

    name: str
    executable: str
    passed_variables: tuple[str, ...]
    """Environment variables of the supervisor that the agent needs (keys, base addresses)."""
    reports_activity: bool
    """True when the agent itself says what it is doing; else its terminal must serve."""
    needs_screen: bool
    """True when ``observe`` wants the screen as well, as a witness beside what the agent tells."""
    has_protocol: bool
    """True when words reach it by a protocol of its own, past its terminal."""
    one_shot: bool
    """True when it ends after its prompt: exit 0 is then its normal end."""
    interrupt_keys: tuple[Key, ...]
    """The keys that make it leave off what it is doing, and go on living."""
    hint: str
    """The command that installs it, for people."""

    @failpoint("agent.prepare", files=True)
    def prepare(self, context: AgentContext) -> None:
        """Settle, before a command is asked for, what a start needs: trust in a new
        folder, a port of its own.

        Most have nothing to settle. Safe to repeat, also while the agent runs. Raises
        Unreachable (try again) or Refused.
        """
        ...

    @failpoint("agent.forget", files=True)
    def forget(self, context: AgentContext) -> None:
        """Undo, before the workspace is removed, what ``prepare`` left outside of
        the session's own files.

        Most have nothing to undo. Safe to repeat, and without a ``prepare``.
        Raises as ``prepare`` does.
        """
        ...

    @failpoint("agent.launch")
    def launch(self, context: AgentContext, prompt: str) -> CommandLine:
        """The command for a first start. The prompt never passes through a shell."""
        ...

    @failpoint("agent.resume")
    def resume(self, context: AgentContext, message: str | None) -> CommandLine:
        """The command that goes on with the same conversation, with words for it or without; with
        the rules, where it begins a new one.
        """
        ...

    def remembers(self, context: AgentContext) -> bool:
        """Whether there is a conversation for ``resume`` to go on with. Else it begins a new one,
        and the words it is given hold the first ones of the session.

        Raises Unreachable where that cannot be told just now.
        """
        ...

    @failpoint("agent.observe")
    def observe(
        self,
        context: AgentContext,
        cursor: Mapping[str, str],
        process: ProcessSeen,
        screen: str | None,
        now: datetime,
    ) -> Reading:
        """What the agent is doing, from its own files first and its screen (when given) second.

        Reads only what is new since the cursor. ``process.title`` is the terminal's title.
        Must not start processes or requests per session.
        """
        ...

    @failpoint("agent.received")
    def received(self, context: AgentContext, text: str, since: datetime) -> Answer:
        """Whether the agent itself says that it took these words; unknown: it does not tell."""
        ...

    def is_ready_for_text(self, screen: str) -> bool:
        """Whether the screen shows a place to type (not a question, a
        dialog or a start-up page).
        """
        ...

    @failpoint("agent.input_box")
    def input_box(self, view: View) -> InputBox | None:
        """The place to type on this screen and what stands in it.

        None wherever that is not known for sure: a question, a list, a transcript, a search,
        a program that has ended.
        """
        ...

    def input_region(self, view: View) -> InputBox | None:
        """The place to type where it can be seen also while the agent works, or shows
        something else beside it.
        """
        ...

    def clearing_keys(self, box: InputBox) -> tuple[Key, ...]:
        """The keys that empty this place to type, wherever the cursor
        stands; none when it is empty.
        """
        ...

    @failpoint("agent.typed")
    def typed(self, text: str) -> str:
        """The text as it has to be given so that it is taken as words, whole, and not as a command
        of the agent's own terminal.

        It is the text itself, or it stands in a frame that the agent's documentation names. Control
        characters are made visible.
        """
        ...

    @failpoint(
        "agent.tell",
        because="the scripted agent has no protocol; a doubt is settled by what it took, as with "
        "words typed",
    )
    def tell(self, context: AgentContext, screen: str, text: str) -> None:
        """Hand over words by its own protocol, for agents that have one (``has_protocol``), to the
        conversation that the screen shows.

        Raises Unreachable or Refused, and then nothing was handed over.
        """
        ...

    @failpoint("agent.reply")
    def reply(self, context: AgentContext, screen: str, text: str) -> bool:
        """Answer what it asks over a protocol of its own; False when it has
        none, so that keys must do.

        Raises Refused as ``answer`` does, or Unreachable.
        """
        ...

    @failpoint("agent.answer")
    def answer(self, screen: str, text: str) -> tuple[Key | str, ...]:
        """The keys to press and the words to type that answer the question on the screen.

        ``text`` is the number of a choice, its words or how they begin, or words where the question
        takes any. Raises Refused: with the choices when it fits none, or when nothing is asked.
        """
        ...

    def version(self) -> str | None:
        """The installed version, or None when it is not installed."""
        ...


@runtime_checkable
class Offering(Protocol):
    """An agent that puts an offer before its place to type when its plan runs out, such as another
    model: no question of its work, and Escape leaves all as it is.
    """

    def offers(self, screen: str) -> bool:
        """Whether such an offer stands on the screen now."""
        ...


@runtime_checkable
class ShowsQuestion(Protocol):
    """An agent whose screen shows a question that can be told from what moves beside it."""

    def asked(self, screen: str) -> str | None:
        """What it says with its choices, whichever of them is marked; None where none stands
        there.
        """
        ...


@runtime_checkable
class Quotable(Protocol):
    """An agent whose last words can be read whole from what it writes down."""

    def last_message(self, context: AgentContext) -> str | None:
        """The words with which it ended its last turn; None where it has ended none, or does not
        tell. Reads the end of a file or two.
        """
        ...


@runtime_checkable
class CalledOtherwise(Protocol):
    """What an agent offers whose program is not called the same everywhere."""

    executable_elsewhere: str
    """What it is on every machine but this one."""


@runtime_checkable
class KeepsFiles(Protocol):
    """An agent that has files of its own in the person's home, which it needs in a sandbox, too."""

    def own_files(self, machine: Machine, workspace: Path) -> tuple[OwnFile, ...]:
        """Those, whether or not they are there."""
        ...


@runtime_checkable
class Listens(Protocol):
    """An agent that is spoken to on a port of the machine it runs on."""

    listens: bool


@runtime_checkable
class EndsAtRest(Protocol):
    """An agent that at rest takes the keys of an interrupt for the wish that it end."""

    ends_at_rest: bool


@runtime_checkable
class FileBacked(Protocol):
    """An agent whose ``observe`` needs nothing but files, its process, its screen, and the clock
    as ``Reading.until`` says.

    It is not asked again while all are as they were when it last left the cursor as it was.
    """

    def files(self, context: AgentContext, cursor: Mapping[str, str]) -> tuple[Path, ...] | None:
        """Every file and folder that ``observe`` reads with this cursor, those
        too that are not there yet.

        A folder stands for the names in it. None while it has yet to find its files: it is then
        read at every look. Cheap: it is asked before each reading.
        """
        ...
