"""A host by the plugins of agent, runtime and workspace: they run in here and nowhere else.

Safe under real threads. What makes, launches or removes a session is done one at a time for each,
and so is what types to it; looking never waits for either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ennio.hosts import commented_files, kept_files, named_files, sandboxes, session_files
from ennio.hosts.branches import HostBranches
from ennio.hosts.brief import BranchAt, Brief, FirstWords, HookAddress, MergePair
from ennio.hosts.delivery import Delivery, Words
from ennio.hosts.metering import HostMeter
from ennio.hosts.news import HostNews
from ennio.hosts.observation import MeterState, News, Observation, Survey, Wanted
from ennio.hosts.reader import Apart, Reader, at_once
from ennio.hosts.resolved import BriefResolver, source_of
from ennio.hosts.session_effects import SessionEffects
from ennio.hosts.session_results import (
    CommandPreview,
    Launched,
    Traits,
    WorkspaceMade,
    WorkspaceRemoved,
)
from ennio.hosts.sharing import Sharing, Unshared
from ennio.hosts.surveys import RuntimeSurveys
from ennio.hosts.terminals import SessionTerminals
from ennio.hosts.unmetered import Unmetered
from ennio.machine.home import Home
from ennio.model.clock import Clock
from ennio.model.commented_file import CommentedFile
from ennio.model.conflicts import BranchChanges
from ennio.model.errors import ConfigError, Invalid
from ennio.model.facts import WorkspaceSeen
from ennio.model.inline_comment import InlineComment
from ennio.model.review_pack import NamedContent, NamedFile
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalOutput, TerminalShot
from ennio.model.workspace_changes import FilePatch, Until, WorkspaceDiff
from ennio.plugins.agent.interface import Quotable
from ennio.plugins.registry import Registry
from ennio.plugins.trial_merge import TrialMerge
from ennio.plugins.workspace import changes, preserved
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.policy.budgets.headroom import Headroom

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
        self._resolver = BriefResolver(plugins, home)
        self._resolve = self._resolver.resolve
        self._news = HostNews(plugins.machine)
        self._meter = (
            Unmetered(name)
            if plugins.machine.name
            else HostMeter(home.root, plugins.machine.environ)
        )
        self._reader = Reader(self._resolve, clock, self._news, apart, self._meter)
        self._effects = SessionEffects(
            name, self._resolver, self._reader, self._meter, sharing or Unshared(), clock
        )
        self._terminals = SessionTerminals(plugins, self._resolver, clock)
        self._surveys = RuntimeSurveys(plugins, self._reader, self._news, clock)
        self._branches = HostBranches(plugins.machine, self._resolver.path)

    # --- before anything is made ------------------------------------------------------------------

    def check(self, brief: Brief) -> None:
        """See ``Host``."""
        for field, find in (
            ("agent", lambda: self._resolver.agent(brief)),
            ("runtime", lambda: self._resolver.runtime(brief)),
            ("workspace", lambda: self._resolver.workspace(brief)),
        ):
            try:
                find()
            except ConfigError as error:
                raise Invalid(f"{field}: {error.problems[0].message}") from error
        if brief.sandbox is not None:
            sandboxes.check(brief, self._resolver.agent(brief), self._machine)

    def traits(self, brief: Brief) -> Traits:
        """See ``Host``."""
        agent = self._resolver.agent_there(brief)
        return Traits(agent.reports_activity, agent.needs_screen, agent.one_shot)

    def workspace_path(self, brief: Brief) -> str:
        """See ``Host``."""
        return str(self._resolver.path(brief))

    def remote(self, brief: Brief) -> str:
        """See ``Host``."""
        at = self._resolve(brief)
        return at.workspace.remote(at.spec)

    def judge(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        self._effects.judge(brief, prompt, system)

    def preview(self, brief: Brief, prompt: str, system: str) -> CommandPreview:
        """See ``Host``."""
        return self._effects.preview(brief, prompt, system)

    # --- a life -----------------------------------------------------------------------------------

    def make(self, brief: Brief, words: FirstWords | None = None) -> WorkspaceMade:
        """See ``Host``."""
        return self._effects.make(brief, words)

    def instruct(self, brief: Brief, prompt: str, system: str) -> None:
        """See ``Host``."""
        self._effects.instruct(brief, prompt, system)

    def prepare(self, brief: Brief) -> None:
        """See ``Host``."""
        self._effects.prepare(brief)

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
        return self._effects.launch(brief, number, hooks, record, resume, carry)

    def stop(self, brief: Brief, *, launched: bool) -> None:
        """See ``Host``."""
        self._effects.stop(brief, launched=launched)

    def inspect(self, brief: Brief) -> WorkspaceSeen:
        """See ``Host``."""
        return self._effects.inspect(brief)

    def changes(self, brief: Brief, until: Until, longest: int) -> WorkspaceDiff:
        """See ``Host``."""
        return changes.diff(
            self._resolver.believed(brief), self._resolver.branch(brief), until, longest
        )

    def changed_file(
        self, brief: Brief, path: str, until: Until, context: int, longest: int
    ) -> FilePatch:
        """See ``Host``."""
        machine, branch = self._resolver.believed(brief), self._resolver.branch(brief)
        return changes.patch(machine, branch, until, path, context, longest)

    def commented_files(
        self, brief: Brief, comments: Sequence[InlineComment], head: str | None
    ) -> Sequence[CommentedFile]:
        """See ``Host``."""
        machine, branch = self._resolver.believed(brief), self._resolver.branch(brief)
        return commented_files.commented_files(machine, branch, comments, head)

    def remove(self, brief: Brief, *, dry_run: bool = False) -> WorkspaceRemoved:
        """See ``Host``."""
        return self._effects.remove(brief, dry_run=dry_run)

    # --- its terminal -----------------------------------------------------------------------------

    def obstacle(self, brief: Brief, words: Words) -> Delivery | None:
        """See ``Host``."""
        return self._terminals.obstacle(brief, words)

    def deliver(self, brief: Brief, words: Words) -> Delivery:
        """See ``Host``."""
        return self._terminals.deliver(brief, words)

    def settle(self, brief: Brief, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """See ``Host``."""
        return self._terminals.settle(brief, words, alive=alive, entered=entered)

    def received(self, brief: Brief, words: Words) -> Delivery:
        """See ``Host``."""
        return self._terminals.received(brief, words)

    def put_back(self, brief: Brief, draft: str) -> bool:
        """See ``Host``."""
        return self._terminals.put_back(brief, draft)

    def interrupt(self, brief: Brief) -> None:
        """See ``Host``."""
        self._terminals.interrupt(brief)

    def answer(self, brief: Brief, text: str) -> None:
        """See ``Host``."""
        self._terminals.answer(brief, text)

    def output(self, brief: Brief, lines: int) -> str:
        """See ``Host``."""
        return self._terminals.output(brief, lines)

    def attach_command(self, brief: Brief) -> tuple[str, ...]:
        """See ``Host``."""
        return self._terminals.attach_command(brief)

    def watch(
        self, brief: Brief, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """See ``Host``."""
        return self._terminals.watch(brief, stream, offset, timeout)

    def shot(self, brief: Brief, history: int) -> TerminalShot:
        """See ``Host``."""
        return self._terminals.shot(brief, history)

    def type_keys(self, brief: Brief, data: bytes, *, paste: bool) -> None:
        """See ``Host``."""
        self._terminals.type_keys(brief, data, paste=paste)

    def resize(self, brief: Brief, columns: int, rows: int) -> None:
        """See ``Host``."""
        self._terminals.resize(brief, columns, rows)

    # --- looking ----------------------------------------------------------------------------------

    def survey(self, runtime: str, handles: Mapping[str, RuntimeHandle | None]) -> Survey:
        """See ``Host``."""
        return self._surveys.survey(runtime, handles)

    def terminals(self, runtime: str) -> Mapping[str, RuntimeHandle]:
        """See ``Host``."""
        return self._surveys.terminals(runtime)

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
        return named_files.named_files(
            self._resolver.believed(brief), self._resolver.path(brief), paths
        )

    def named_content(self, brief: Brief, path: str) -> NamedContent:
        """See ``Host``."""
        return named_files.named_content(
            self._resolver.believed(brief), self._resolver.path(brief), path
        )

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

    def limit_metered(self, headroom: Headroom) -> None:
        """See ``Host``."""
        self._meter.limit(headroom)

    # --- what outlives a database -----------------------------------------------------------------

    def records(self) -> Sequence[tuple[str, str]]:
        """See ``Host``."""
        return tuple(session_files.records(self._machine, self._home))

    def hooks(self, session_id: str) -> HookAddress | None:
        """See ``Host``."""
        return self._resolver.files(session_id).hooks()

    def lead_hooks(self, session_id: str, address: HookAddress) -> None:
        """See ``Host``."""
        self._resolver.files(session_id).lead_hooks(address)

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
