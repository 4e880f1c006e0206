"""What a host does to the world for a session: its working copy made, its agent launched and ended,
and all of it removed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from ennio.config.money import MeteringChoice
from ennio.hosts import agent_program, sandboxes, session_files
from ennio.hosts.brief import Brief, FirstWords, HookAddress
from ennio.hosts.delivery import Words
from ennio.hosts.metering import HostMeter
from ennio.hosts.reader import Reader
from ennio.hosts.resolved import BriefResolver, ResolvedBrief
from ennio.hosts.session_files import PROMPT, RECORD, SYSTEM, SessionFiles
from ennio.hosts.session_locks import SessionLocks
from ennio.hosts.session_results import CommandPreview, Launched, WorkspaceMade, WorkspaceRemoved
from ennio.hosts.sharing import Sharing
from ennio.hosts.typed_log import Typing
from ennio.machine.closed_place import refusing
from ennio.machine.questions import NOTHING_ASKED, NextLook, Questions
from ennio.model.clock import Clock
from ennio.model.errors import ConfigError, Invalid
from ennio.model.facts import WorkspaceSeen
from ennio.model.session import RuntimeHandle
from ennio.plugins import orphans
from ennio.plugins.agent.interface import Agent, CommandLine
from ennio.plugins.agent.words import checked, may_not_fit
from ennio.plugins.runtime.interface import DemandingRuntime, LaunchSpec
from ennio.plugins.workspace import hook_run, private
from ennio.plugins.workspace.interface import DemandingWorkspace
from ennio.policy.prompt import begun_again

HOOK_GRACE = 2.0  # seconds a hook may take to end once told to


class SessionEffects:
    """See ``Host`` for each method. For one session they are done one at a time: who asks again
    while one is at work waits for it, and finds it done.
    """

    def __init__(
        self,
        name: str,
        resolver: BriefResolver,
        reader: Reader,
        meter: HostMeter,
        sharing: Sharing,
        clock: Clock,
    ) -> None:
        self._name = name
        self._resolver = resolver
        self._resolve = resolver.resolve
        self._machine = resolver.machine
        self._sandboxes = resolver.sandboxes
        self._reader = reader
        self._meter = meter
        self._sharing = sharing
        self._clock = clock
        self._programs: dict[str, tuple[str, str | None]] = {}
        """Where each agent's program was looked for the last time."""
        self._next_looks: dict[str, NextLook] = {}
        """What was told ahead of a session's launch, when it was prepared for that."""
        self._making = SessionLocks()

    def make(self, brief: Brief, words: FirstWords | None = None) -> WorkspaceMade:
        """See ``Host``."""
        with self._beginning(brief), ExitStack() as looks:
            at = self._resolve(brief)
            if at.sandbox is not None:
                sandboxes.check(brief, at.agent, self._machine)
                sandboxes.lay(self._machine, at.sandbox.isolation)
            with self._machine.gathered():  # they go ahead of what is asked of the repository
                if words is not None:
                    _keep(at.files, words.prompt, words.system)
                if isinstance(at.workspace, DemandingWorkspace):
                    asked = at.workspace.of_making(at.spec)
                    looks.enter_context(self._machine.foreseen(asked))
            made = at.workspace.create(at.spec)
        return WorkspaceMade(str(made.path), made.remote, made.note, made.lost)

    def instruct(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        self._next_looks.pop(brief.session_id, None)
        with refusing(self._machine), self._machine.gathered():
            _keep(self._resolver.files(brief.session_id), prompt, system)

    def prepare(self, brief: Brief) -> None:
        """See ``Host``."""
        with self._beginning(brief):
            at, look = self._resolve(brief), NextLook(self._of_a_launch(brief))
            with self._machine.looking_ahead(look):
                at.workspace.prepare(at.spec)
            if look.told is not None:
                self._next_looks[brief.session_id] = look

    def judge(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        at = self._resolve(brief)
        with self._machine.foreseen(self._of_a_judgement(at)):
            self._judge(at, prompt, system)

    def _judge(self, at: ResolvedBrief, prompt: str, system: str) -> None:
        checked(prompt)
        if may_not_fit(prompt + system):  # its agent knows what it makes of so many words
            _first_launch(at, prompt, system)
        if isinstance(at.workspace, DemandingWorkspace):
            at.workspace.insist(at.spec)
        if isinstance(at.runtime, DemandingRuntime):
            at.runtime.insist()
        path = at.environment(CommandLine(()), 1).get("PATH", "")
        agent_program.insist_beforehand(self._machine, self._name, at, path)

    def _of_a_judgement(self, at: ResolvedBrief) -> Questions:
        """What is asked of the machine before anything is made there."""
        if not self._machine.name:
            return NOTHING_ASKED
        asked = private.questions(at.path, at.source)
        if isinstance(at.workspace, DemandingWorkspace):
            source = at.workspace.rests_on(at.spec)
            asked = replace(source, states=(*source.states, *asked.states), files=asked.files)
        known = self._programs.get(at.brief.agent)
        return replace(asked, programs=(("tmux", None), *(() if known is None else (known,))))

    def preview(self, brief: Brief, prompt: str, system: str) -> CommandPreview:
        """See ``Host``."""
        at = self._resolve(brief)
        with self._machine.foreseen(self._of_a_judgement(at)):
            self._judge(at, prompt, system)
            command = _first_launch(at, prompt, system)
            return CommandPreview(command.argv, tuple(sorted(at.environment(command, 1))))

    def launch(
        self,
        brief: Brief,
        number: int,
        hooks: HookAddress,
        record: str,
        resume: bool,
        carry: Words | None,
    ) -> Launched:
        """See ``Host``."""
        with self._beginning(brief):
            look = self._next_looks.pop(brief.session_id, None)
            with self._machine.foreseen(self._of_a_launch(brief), look):
                return self._launched(brief, number, hooks, record, resume, carry)

    @contextmanager
    def _beginning(self, brief: Brief) -> Iterator[None]:
        """One step of its begin at a time."""
        with refusing(self._machine), self._making.alone(brief.session_id):
            yield

    def _of_a_launch(self, brief: Brief) -> Questions:
        """What is asked of the machine before anything of a launch is written."""
        if not self._machine.name:
            return NOTHING_ASKED
        at = self._resolve(brief)
        asked = at.files.of_a_launch(at.path, at.sandbox)
        links = private.questions(at.path, at.source)
        files, states = (*asked.files, *links.files), (*asked.states, *links.states)
        known = self._programs.get(brief.agent)
        programs = () if known is None else (known,)
        return replace(asked, files=files, states=states, programs=programs)

    def _launched(
        self,
        brief: Brief,
        number: int,
        hooks: HookAddress,
        record: str,
        resume: bool,
        carry: Words | None,
    ) -> Launched:
        at, begun = self._resolve(brief), self._clock.now()
        context = at.context
        at.agent.prepare(context)
        anew = resume and not at.agent.remembers(context)
        first = (at.files.read(PROMPT) or "") if anew or not resume else ""
        carried = carry.text if carry is not None else None
        told = begun_again(first, carried) if anew else carried
        command = at.agent.resume(context, told) if resume else at.agent.launch(context, first)
        env = at.environment(command, number)
        if self._meter.begins(at.files, number, begun, metered=_is_metered(brief)):
            command = self._meter.lead(at.agent, context, command, env, number)
            env = at.environment(command, number)
        command = self._sharing.lead(brief.agent, brief.session_id, command)
        launch = LaunchSpec(brief.session_id, command.argv, at.path, env, at.files.folder, number)
        self._check_program(launch, at.agent)
        if at.sandbox is not None:
            launch = self._sandboxes.apart(launch, at.agent, brief, at.sandbox)
        with self._machine.gathered():
            at.files.lead_hooks(hooks)
            session_files.write_all(at.machine, command.files)
            at.files.typed.launched(number, _owed(command, carry) if anew else None)
            if carry is not None and command.carries:
                at.files.typed.note(carry.message_id, Typing.BEGUN, begun)
            at.files.write(RECORD, record)
            started = at.runtime.start(launch)
        handle = self._sharing.share(at.files.folder, at.runtime, started)
        self._reader.started(brief.session_id, handle)
        typed = anew and carry is None and not command.carries
        words = first if typed or not resume else None
        return Launched(handle, number, begun, command.carries, words)

    def _check_program(self, launch: LaunchSpec, agent: Agent) -> None:
        program, path = launch.argv[0], launch.env.get("PATH")
        place = str(launch.cwd / program) if "/" in program else program
        self._programs[agent.name] = place, path
        agent_program.insist(self._machine, self._name, agent, program, place, path)

    def stop(self, brief: Brief, *, launched: bool) -> None:
        """See ``Host``."""
        self._next_looks.pop(brief.session_id, None)
        with refusing(self._machine):
            if not launched:
                self._end_under_way(brief)
                return
            runtime = self._resolver.runtime(brief)
            with self._making.alone(brief.session_id):  # a launch that is under way is ended too
                runtime.stop(brief.handle or RuntimeHandle(brief.session_id, runtime.name))
                self._sharing.unshare(brief.session_id)
            self._meter.ended(brief.session_id)

    def _end_under_way(self, brief: Brief) -> None:
        """End all that carries the session's mark, and the hook that was
        begun for it, marked or not.
        """
        orphans.end(
            self._machine,
            brief.session_id,
            HOOK_GRACE,
            hook_run.under_way(self._machine, self._resolver.files(brief.session_id).folder),
        )

    def inspect(self, brief: Brief) -> WorkspaceSeen:
        """See ``Host``."""
        at = self._resolve(brief)
        with refusing(self._machine):
            return at.workspace.inspect(at.spec)

    def remove(self, brief: Brief, *, dry_run: bool = False) -> WorkspaceRemoved:
        """See ``Host``."""
        with refusing(self._machine), self._machine.foreseen(self._of_a_removal(brief)):
            if not dry_run:
                self._end_under_way(brief)
            with self._making.alone(brief.session_id):
                self._next_looks.pop(brief.session_id, None)
                return self._removed(brief, dry_run=dry_run)

    def _of_a_removal(self, brief: Brief) -> Questions:
        """What is asked of the machine before anything of a session is removed."""
        if not self._machine.name:
            return NOTHING_ASKED
        at = self._resolve(brief)
        asked = at.files.rests_on(at.path, at.files.folder)
        traces = hook_run.Track(self._machine, at.files.folder).spans
        return replace(asked, files=(*asked.files, *traces), marked=(orphans.MARK,))

    def _removed(self, brief: Brief, *, dry_run: bool) -> WorkspaceRemoved:
        at = self._resolve(brief)
        if not dry_run:
            at.agent.forget(at.context)
        removed = at.workspace.remove(at.spec, dry_run=dry_run)
        if brief.ended and not dry_run:
            at.files.remove()
            self._meter.forget(brief.session_id)
            self._reader.forget(brief.session_id)
            self._sandboxes.forget(brief.session_id)
        return WorkspaceRemoved(str(removed.path), removed.size, removed.preserved, removed.unsaved)


def _keep(files: SessionFiles, prompt: str, system: str) -> None:
    files.write(PROMPT, prompt)
    files.write(SYSTEM, system)


def _owed(command: CommandLine, carry: Words | None) -> str | None:
    """With which message the first words go that are told anew; see ``TypedLog.launched``."""
    if not command.carries:
        return ""
    return carry.message_id if carry is not None else None


def _is_metered(brief: Brief) -> bool:
    return brief.agent_config.metering is MeteringChoice.PROXY


def _first_launch(at: ResolvedBrief, prompt: str, system: str) -> CommandLine:
    """The command of a first launch; what its agent's settings make of these words is said of the
    request.
    """
    try:
        return at.agent.launch(replace(at.context_without_folder, system=system), prompt)
    except ConfigError as error:
        raise Invalid(str(error.problems[0])) from error
