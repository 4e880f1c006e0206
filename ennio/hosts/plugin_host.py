"""A host by the plugins of agent, runtime and workspace: they run in here and nowhere else.

Safe under real threads. What makes, launches or removes a session is done one at a time for each,
and so is what types to it; looking never waits for either.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import cast

from ennio.config.model import Symlink
from ennio.config.money import MeteringChoice
from ennio.hosts import environment, kept_files, named_files, sandboxes, session_files
from ennio.hosts.answering import Answering
from ennio.hosts.branches import HostBranches
from ennio.hosts.brief import BranchAt, Brief, HookAddress, MergePair
from ennio.hosts.delivery import Delivery, Words
from ennio.hosts.last_output import LastOutput
from ennio.hosts.message_delivery import MessageDelivery
from ennio.hosts.metering import HostMeter
from ennio.hosts.news import HostNews
from ennio.hosts.observation import MeterState, News, Observation, Survey, Wanted
from ennio.hosts.reader import Apart, Reader, at_once
from ennio.hosts.resolved import ResolvedBrief, source_of
from ennio.hosts.sandboxes import Sandboxes
from ennio.hosts.session_files import PROMPT, RECORD, SYSTEM, SessionFiles
from ennio.hosts.session_locks import SessionLocks
from ennio.hosts.session_results import (
    CommandPreview,
    Launched,
    Traits,
    WorkspaceMade,
    WorkspaceRemoved,
)
from ennio.hosts.sharing import Sharing, Unshared
from ennio.hosts.typed_log import Typing
from ennio.hosts.unfit_agent import UnfitAgent
from ennio.hosts.unmetered import Unmetered
from ennio.machine import single
from ennio.machine.home import Home
from ennio.machine.interface import Machine
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.clock import Clock
from ennio.model.conflicts import BranchChanges
from ennio.model.errors import ConfigError, Invalid, Refused
from ennio.model.facts import ProcessSeen, WorkspaceSeen
from ennio.model.review_pack import NamedContent, NamedFile
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalOutput, TerminalShot
from ennio.model.workspace_changes import FilePatch, Until, WorkspaceDiff
from ennio.plugins import orphans
from ennio.plugins.agent.interface import Agent, CommandLine, Quotable
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import (
    ForeseeableRuntime,
    LaunchSpec,
    Pane,
    WatchableRuntime,
)
from ennio.plugins.runtime.liveness import judged
from ennio.plugins.terminal.interface import BroadcastTerminal
from ennio.plugins.trial_merge import TrialMerge
from ennio.plugins.workspace import changes, hook_run, preserved, private
from ennio.plugins.workspace.compared import SessionBranch
from ennio.plugins.workspace.interface import Created, WorkspaceSpec
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored

HOOK_GRACE = 2.0  # seconds a hook may take to end once told to
KINDS = ("worktree", "clone")


class PluginHost:
    """See ``Host``: on the machine that the plugins are made for.

    ``apart`` is where agents' files are read, which may lie on a slow disk and be long.
    """

    def __init__(
        self,
        plugins: Registry,
        home: Home,
        clock: Clock,
        name: str = "",
        apart: Apart = at_once,
        sharing: Sharing | None = None,
    ) -> None:
        self.name = name
        self._plugins = plugins
        self._machine = plugins.machine
        self._home = home
        self._clock = clock
        self._news = HostNews(plugins.machine)
        self._meter = (
            Unmetered(name)
            if plugins.machine.name
            else HostMeter(home.root, plugins.machine.environ)
        )
        self._reader = Reader(self._resolve, clock, self._news, apart, self._meter)
        self._branches = HostBranches(plugins.machine, self._path)
        self._sandboxes = Sandboxes(plugins, home)
        self._sharing = sharing or Unshared()
        self._last_output = LastOutput()
        self._programs: dict[str, tuple[str, str | None]] = {}
        """Where each agent's program was looked for the last time."""
        self._making = SessionLocks()
        self._typing = SessionLocks()

    def _resolve(self, brief: Brief) -> ResolvedBrief:
        """All that a call about a session needs."""
        path = self._path(brief)
        apart = self._sandboxes.of(brief, path)
        return ResolvedBrief(
            brief,
            self._agent_there(brief),
            self._plugins.runtime(brief.runtime),
            self._plugins.workspace(brief.workspace) if apart is None else apart.workspace,
            SessionFiles(self._machine, self._home, brief.session_id),
            path,
            apart,
        )

    def _believed(self, brief: Brief) -> Machine:
        """The machine as far as it may be believed of what lies in a session's working copy."""
        apart = self._sandboxes.of(brief, self._path(brief))
        return self._machine if apart is None else apart.machine

    def _agent(self, brief: Brief) -> Agent:
        return self._plugins.agent(brief.agent, brief.project_id, brief.agent_config, brief.env)

    def _agent_there(self, brief: Brief) -> Agent:
        """The same for a session that may have begun with other settings than there are now."""
        try:
            return self._agent(brief)
        except ConfigError as error:
            return UnfitAgent(brief.agent, error)

    def _path(self, brief: Brief) -> Path:
        return Path(
            brief.path or self._home.workspace(brief.workspace, brief.project_id, brief.session_id)
        )

    # --- before anything is made ------------------------------------------------------------------

    def check(self, brief: Brief) -> None:
        """See ``Host``."""
        for field, find in (
            ("agent", lambda: self._agent(brief)),
            ("runtime", lambda: self._plugins.runtime(brief.runtime)),
            ("workspace", lambda: self._plugins.workspace(brief.workspace)),
        ):
            try:
                find()
            except ConfigError as error:
                raise Invalid(f"{field}: {error.problems[0].message}") from error
        if brief.sandbox is not None:
            sandboxes.check(brief, self._agent(brief), self._machine)

    def traits(self, brief: Brief) -> Traits:
        """See ``Host``."""
        agent = self._agent_there(brief)
        return Traits(agent.reports_activity, agent.needs_screen, agent.one_shot)

    def workspace_path(self, brief: Brief) -> str:
        """See ``Host``."""
        return str(self._path(brief))

    def remote(self, brief: Brief) -> str:
        """See ``Host``."""
        at = self._resolve(brief)
        return at.workspace.remote(self._spec(at))

    def preview(self, brief: Brief, prompt: str, system: str) -> CommandPreview:
        """See ``Host``."""
        at = self._resolve(brief)
        context = replace(at.context_without_folder, system=system)
        command = at.agent.launch(context, prompt)
        return CommandPreview(command.argv, tuple(sorted(self._environment(at, command, 1))))

    # --- a life -----------------------------------------------------------------------------------

    def make(self, brief: Brief) -> WorkspaceMade:
        """See ``Host``."""
        with self._making.alone(brief.session_id):
            at = self._resolve(brief)
            if at.sandbox is not None:
                sandboxes.check(brief, at.agent, self._machine)
                sandboxes.lay(self._machine, at.sandbox.isolation)
            made = at.workspace.create(self._spec(at))
        return WorkspaceMade(str(made.path), made.remote, made.note, made.lost)

    def instruct(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        files = SessionFiles(self._machine, self._home, brief.session_id)
        with self._machine.gathered():
            files.write(PROMPT, prompt)
            files.write(SYSTEM, system)

    def prepare(self, brief: Brief) -> None:
        """See ``Host``."""
        with self._making.alone(brief.session_id):
            at = self._resolve(brief)
            spec = self._spec(at)
            at.workspace.prepare(spec, Created(spec.path, spec.branch, ""))

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
        machine = self._machine
        with self._making.alone(brief.session_id), machine.foreseen(self._of_a_launch(brief)):
            return self._launched(brief, number, hooks, record, resume, carry)

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
        words = None if resume else (at.files.read(PROMPT) or "")
        carried = carry.text if carry is not None else None
        command = (
            at.agent.launch(context, words)
            if words is not None
            else at.agent.resume(context, carried)
        )
        env = self._environment(at, command, number)
        if self._meter.begins(at.files, number, begun, metered=_is_metered(brief)):
            command = self._meter.lead(at.agent, context, command, env, number)
            env = self._environment(at, command, number)
        command = self._sharing.lead(brief.agent, brief.session_id, command)
        launch = LaunchSpec(brief.session_id, command.argv, at.path, env, at.files.folder, number)
        self._check_program(launch, at.agent)
        if at.sandbox is not None:
            launch = self._sandboxes.apart(launch, at.agent, brief, at.sandbox)
        with self._machine.gathered():
            at.files.lead_hooks(hooks)
            session_files.write_all(at.machine, command.files)
            at.files.typed.launched(number)
            if carry is not None and command.carries:
                at.files.typed.note(carry.message_id, Typing.BEGUN, begun)
            at.files.write(RECORD, record)
            started = at.runtime.start(launch)
        handle = self._sharing.share(at.files.folder, at.runtime, started)
        self._reader.started(brief.session_id, handle)
        return Launched(handle, number, begun, command.carries, words)

    def stop(self, brief: Brief, *, launched: bool) -> None:
        """See ``Host``."""
        if launched:
            runtime = self._plugins.runtime(brief.runtime)
            with self._making.alone(brief.session_id):  # a launch that is under way is ended too
                runtime.stop(brief.handle or RuntimeHandle(brief.session_id, runtime.name))
                self._sharing.unshare(brief.session_id)
            self._meter.ended(brief.session_id)
        else:
            self._end_under_way(brief)

    def _end_under_way(self, brief: Brief) -> None:
        """End all that carries the session's mark, and the hook that was
        begun for it, marked or not.
        """
        orphans.end(
            self._machine,
            brief.session_id,
            HOOK_GRACE,
            hook_run.under_way(self._machine, self._home.session(brief.session_id)),
        )

    def inspect(self, brief: Brief) -> WorkspaceSeen:
        """See ``Host``."""
        at = self._resolve(brief)
        return at.workspace.inspect(self._spec(at))

    def changes(self, brief: Brief, until: Until, longest: int) -> WorkspaceDiff:
        """See ``Host``."""
        return changes.diff(self._believed(brief), self._branch(brief), until, longest)

    def changed_file(
        self, brief: Brief, path: str, until: Until, context: int, longest: int
    ) -> FilePatch:
        """See ``Host``."""
        machine, branch = self._believed(brief), self._branch(brief)
        return changes.patch(machine, branch, until, path, context, longest)

    def _branch(self, brief: Brief) -> SessionBranch:
        return SessionBranch(
            brief.session_id,
            self._path(brief),
            source_of(self._machine, brief.source),
            brief.branch or brief.session_id,
            brief.base,
            brief.remote,
            brief.ended,
        )

    def remove(self, brief: Brief, *, dry_run: bool = False) -> WorkspaceRemoved:
        """See ``Host``."""
        with self._machine.foreseen(self._of_a_removal(brief)):
            if not dry_run:
                self._end_under_way(brief)
            with self._making.alone(brief.session_id):
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
        removed = at.workspace.remove(self._spec(at), dry_run=dry_run)
        if brief.ended and not dry_run:
            at.files.remove()
            self._meter.forget(brief.session_id)
            self._reader.forget(brief.session_id)
            self._sandboxes.forget(brief.session_id)
        return WorkspaceRemoved(str(removed.path), removed.size, removed.preserved, removed.unsaved)

    # --- its terminal -----------------------------------------------------------------------------

    def obstacle(self, brief: Brief, words: Words) -> Delivery | None:
        """See ``Host``."""
        with self._machine.foreseen(self._of_typing(brief)):
            return self._words(brief).obstacle(words)

    def deliver(self, brief: Brief, words: Words) -> Delivery:
        """See ``Host``."""
        with self._to_type(brief) as delivery:
            return delivery.deliver(words)

    def settle(self, brief: Brief, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """See ``Host``."""
        with self._to_type(brief) as delivery:
            return delivery.settle(words, alive=alive, entered=entered)

    def received(self, brief: Brief, words: Words) -> Delivery:
        """See ``Host``."""
        return self._words(brief).received(words)

    def put_back(self, brief: Brief, draft: str) -> bool:
        """See ``Host``."""
        with self._typing.alone(brief.session_id):
            return self._words(brief).put_back(draft)

    @contextmanager
    def _to_type(self, brief: Brief) -> Iterator[MessageDelivery]:
        """Types to its agent, and nobody else meanwhile."""
        with (
            self._typing.alone(brief.session_id),
            self._machine.foreseen(self._of_typing(brief)),
        ):
            yield self._words(brief)

    def _of_typing(self, brief: Brief) -> Questions:
        """What is asked of the machine before an agent is typed to."""
        if not self._machine.name:
            return NOTHING_ASKED
        at = self._resolve(brief)
        asked = at.files.of_typing(at.path, at.sandbox)
        if not hasattr(at.runtime, "foreseen"):
            return asked
        look = cast("ForeseeableRuntime", at.runtime).foreseen(at.handle.id)
        return replace(asked, commands=look.commands)

    def _words(self, brief: Brief) -> MessageDelivery:
        at = self._resolve(brief)
        return MessageDelivery(
            at.runtime, at.agent, at.context, at.handle, at.files.typed, self._clock
        )

    def interrupt(self, brief: Brief) -> None:
        """See ``Host``."""
        at = self._resolve(brief)
        for key in at.agent.interrupt_keys:
            at.runtime.press(at.handle, key)

    def answer(self, brief: Brief, text: str) -> None:
        """See ``Host``."""
        with self._typing.alone(brief.session_id):
            at = self._resolve(brief)
            Answering(at.runtime, at.agent, at.context, at.handle).answer(text)

    def output(self, brief: Brief, lines: int) -> str:
        """See ``Host``."""
        at = self._resolve(brief)
        return at.runtime.output(at.handle, lines)

    def attach_command(self, brief: Brief) -> tuple[str, ...]:
        """See ``Host``."""
        at = self._resolve(brief)
        return at.runtime.attach_command(at.handle)

    def watch(
        self, brief: Brief, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """See ``Host``."""
        runtime, handle = self._watchable(brief)
        web = cast("BroadcastTerminal", self._plugins.terminal("web"))
        begin = partial(runtime.open_stream, handle)
        return web.watch(brief.session_id, begin, stream, offset, timeout)

    def shot(self, brief: Brief, history: int) -> TerminalShot:
        """See ``Host``."""
        runtime, handle = self._watchable(brief)
        return runtime.shot(handle, history)

    def type_keys(self, brief: Brief, data: bytes, *, paste: bool) -> None:
        """See ``Host``."""
        runtime, handle = self._watchable(brief)
        with self._typing.alone(brief.session_id):
            runtime.type(handle, data, paste=paste)

    def resize(self, brief: Brief, columns: int, rows: int) -> None:
        """See ``Host``."""
        runtime, handle = self._watchable(brief)
        runtime.resize(handle, columns, rows)

    def _watchable(self, brief: Brief) -> tuple[WatchableRuntime, RuntimeHandle]:
        """Its runtime, where that can be watched, and its handle."""
        runtime = self._plugins.runtime(brief.runtime)
        if not hasattr(runtime, "open_stream"):
            raise Refused(
                f"session {brief.session_id} runs in {brief.runtime}, whose terminals cannot be "
                "watched; read its output instead"
            )
        handle = brief.handle or RuntimeHandle(brief.session_id, runtime.name)
        return cast("WatchableRuntime", runtime), handle

    # --- looking ----------------------------------------------------------------------------------

    def survey(self, runtime: str, handles: Mapping[str, RuntimeHandle | None]) -> Survey:
        """See ``Host``."""
        at, begun = self._plugins.runtime(runtime), time.monotonic()
        with self._reader.surveying():
            panes, source, now = at.survey(), f"{at.name} survey", self._clock.now()
            seen = judged(self._machine, handles, panes, source, now)
            self._reader.surveyed(seen, begun)
        return Survey(
            self._last_output.told(at, seen, panes),
            tuple(
                name
                for name, process in seen.items()
                if self._is_awaited(name, process, panes.get(name))
            ),
        )

    def _is_awaited(self, session_id: str, process: ProcessSeen, pane: Pane | None) -> bool:
        """Whether there will be news once more becomes of a process; that
        is waited for from now on.
        """
        lives = self._news.lives(session_id, process)
        return (
            self._news.prints(session_id, pane) and lives
            if pane is not None and not pane.dead
            else lives
        )

    def terminals(self, runtime: str) -> Mapping[str, RuntimeHandle]:
        """See ``Host``."""
        return {
            name: self._handle(runtime, pane)
            for name, pane in self._plugins.runtime(runtime).survey().items()
        }

    def observe(self, wanted: Sequence[Wanted]) -> Mapping[str, Observation]:
        """See ``Host``."""
        return self._reader.observe(wanted)

    def news(self, cursor: str, timeout: float) -> News:
        """See ``Host``."""
        return self._news.wait(cursor, timeout)

    def close(self) -> None:
        """Wait for no more news."""
        self._news.close()

    # --- what its agent says, and shows -----------------------------------------------------------

    def last_message(self, brief: Brief) -> str | None:
        """See ``Host``."""
        at = self._resolve(brief)
        if not isinstance(at.agent, Quotable):
            return None
        return at.agent.last_message(at.context_without_folder)

    def named_files(self, brief: Brief, paths: Sequence[str]) -> Sequence[NamedFile]:
        """See ``Host``."""
        return named_files.named_files(self._believed(brief), self._path(brief), paths)

    def named_content(self, brief: Brief, path: str) -> NamedContent:
        """See ``Host``."""
        return named_files.named_content(self._believed(brief), self._path(brief), path)

    # --- branches beside one another --------------------------------------------------------------

    def branch_heads(self, briefs: Sequence[Brief]) -> Mapping[str, str]:
        """See ``Host``."""
        return self._branches.heads(briefs)

    def branch_changes(self, branches: Sequence[BranchAt]) -> Mapping[str, BranchChanges]:
        """See ``Host``."""
        return self._branches.changes(branches)

    def try_merges(self, pairs: Sequence[MergePair]) -> Sequence[TrialMerge | None]:
        """See ``Host``."""
        return self._branches.try_merges(pairs)

    # --- what it uses -----------------------------------------------------------------------------

    def meter(self) -> MeterState:
        """See ``Host``."""
        return self._meter.state()

    def keep_meter(self) -> MeterState:
        """See ``Host``."""
        return self._meter.keep()

    def leave_meter(self) -> MeterState:
        """See ``Host``."""
        return self._meter.leave()

    def stop_metered(self, session_id: str, reason: str) -> None:
        """See ``Host``."""
        self._meter.stop(session_id, reason)

    def allow_metered(self, session_id: str) -> None:
        """See ``Host``."""
        self._meter.allow(session_id)

    # --- what outlives a database -----------------------------------------------------------------

    def records(self) -> Sequence[tuple[str, str]]:
        """See ``Host``."""
        return tuple(session_files.records(self._machine, self._home))

    def hooks(self, session_id: str) -> HookAddress | None:
        """See ``Host``."""
        return SessionFiles(self._machine, self._home, session_id).hooks()

    def lead_hooks(self, session_id: str, address: HookAddress) -> None:
        """See ``Host``."""
        SessionFiles(self._machine, self._home, session_id).lead_hooks(address)

    def preserved(self, project_id: str, source: str) -> Sequence[Preserved]:
        """See ``Host``."""
        roots = tuple(self._home.workspace(kind, project_id, "x").parent for kind in KINDS)
        where = source_of(self._machine, source)
        return preserved.listed(self._machine, project_id, where, roots)

    def preserved_contents(self, item: Preserved) -> Contents:
        """See ``Host``."""
        return preserved.contents(self._machine, item)

    def preserved_restore(self, item: Preserved, branch: str | None) -> Restored:
        """See ``Host``."""
        return preserved.restored(self._machine, item, branch)

    def free_memory(self) -> int:
        """See ``Host``."""
        return self._machine.free_memory()

    def free_disk(self) -> int:
        """See ``Host``."""
        return self._machine.free_disk(self._home.root)

    def disk_usage(self) -> Mapping[str, int]:
        """See ``Host``."""
        return kept_files.usage(self._machine, self._home)

    def forget_logs(self, session_ids: Sequence[str], before: datetime) -> int:
        """See ``Host``."""
        return kept_files.forget_logs(self._machine, self._home, session_ids, before)

    # --- orders to plugins ------------------------------------------------------------------------

    def _spec(self, at: ResolvedBrief) -> WorkspaceSpec:
        brief = at.brief
        return WorkspaceSpec(
            project_id=brief.project_id,
            session_id=brief.session_id,
            repo=brief.repo,
            source=source_of(self._machine, brief.source),
            path=at.path,
            branch=brief.branch or brief.session_id,
            base=brief.base,
            symlinks=tuple(
                Symlink(source_of(self._machine, link.source), Path(link.target))
                for link in brief.symlinks
            ),
            post_create=brief.post_create,
            post_create_timeout=brief.post_create_timeout,
            submodules=brief.submodules,
            seen_heads=brief.seen_heads,
            env={**self._plain(brief), "ENNIO_REMOTE": brief.remote, **brief.env},
            log=at.files.folder / "hooks.log",
        )

    def _environment(self, at: ResolvedBrief, command: CommandLine, number: int) -> dict[str, str]:
        """The whole environment of the agent."""
        env = {
            **self._plain(at.brief),
            "ENNIO_REMOTE": at.brief.remote,
            **environment.passed(self._machine.environ, at.agent.passed_variables),
            **at.workspace.environment(at.path),
            **at.brief.env,
            **command.env,
            "ENNIO_LAUNCH": str(number),
        }
        if at.sandbox is None:
            return env
        return sandboxes.environment(env, at.brief)

    def _plain(self, brief: Brief) -> dict[str, str]:
        return environment.plain(
            self._machine.environ, brief.session_id, brief.project_id, self._home.root
        )

    def _handle(self, runtime: str, pane: Pane) -> RuntimeHandle:
        born = (
            single.start_of(self._machine, pane.pid)
            if pane.pid is not None and not pane.dead
            else ""
        )
        return RuntimeHandle(
            pane.name,
            runtime,
            {"pid": str(pane.pid or ""), "started": born, "number": str(pane.number)},
        )

    def _check_program(self, launch: LaunchSpec, agent: Agent) -> None:
        """Say what is missing before anything is started; in its terminal nobody would read it."""
        program = launch.argv[0]
        place = str(launch.cwd / program) if "/" in program else program
        self._programs[agent.name] = place, launch.env.get("PATH")
        if self._machine.which(place, launch.env.get("PATH")) is None:
            again = (
                f"have its folder in the PATH of a login of {self.name} by ssh (`ssh {self.name} "
                "env`)"
                if self.name
                else "start the supervisor from there: ennio stop && ennio start --detach"
            )
            searched = launch.env.get("PATH", "")  # last, since it is long and lines are cut
            path = "" if "/" in program else f" (PATH here: {searched})"
            way = f"{agent.hint}; where a shell of yours finds it, {again}{path}"
            raise Refused(f"{program} is not installed, or not executable: {way}")


def _is_metered(brief: Brief) -> bool:
    return brief.agent_config.metering is MeteringChoice.PROXY
