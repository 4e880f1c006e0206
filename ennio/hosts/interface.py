"""What actors ask of a machine on which agents work: coarse, and in data alone.

No argument and no answer holds a path object, a callback or an open thing, so a host can stand in
another process or on another machine. Facts about processes are judged where the processes are.
Every call may raise ``Unreachable``: nothing is known then.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from ennio.hosts.brief import BranchAt, Brief, FirstWords, HookAddress, MergePair
from ennio.hosts.delivery import Words
from ennio.hosts.observation import MeterState, News, Observation, Survey, Wanted
from ennio.hosts.session_results import (
    CommandPreview,
    Launched,
    Traits,
    WorkspaceMade,
    WorkspaceRemoved,
)
from ennio.hosts.terminal_interface import AgentTerminals
from ennio.model.commented_file import CommentedFile
from ennio.model.conflicts import BranchChanges
from ennio.model.facts import WorkspaceSeen
from ennio.model.inline_comment import InlineComment
from ennio.model.review_pack import NamedContent, NamedFile
from ennio.model.session import RuntimeHandle
from ennio.model.workspace_changes import FilePatch, Until, WorkspaceDiff
from ennio.plugins.trial_merge import TrialMerge
from ennio.plugins.workspace.preserved import Contents, Preserved, Restored
from ennio.policy.budgets.headroom import Headroom


class Host(AgentTerminals, Protocol):
    """A machine on which agents work. Every call is safe to repeat."""

    name: str
    """Empty for this machine."""

    # --- before anything is made ------------------------------------------------------------------

    def check(self, brief: Brief) -> None:
        """Raise Invalid, naming the field, for a plugin that is not there."""
        ...

    def traits(self, brief: Brief) -> Traits:
        """What kind of agent it is."""
        ...

    def workspace_path(self, brief: Brief) -> str:
        """The one place where the working copy can be."""
        ...

    def remote(self, brief: Brief) -> str:
        """What the project's repository will be called in the working copy."""
        ...

    def judge(self, brief: Brief, prompt: str, system: str) -> None:
        """Raise Invalid, Refused for what a first launch would be refused for, as far as that is
        known before there is a working copy; makes nothing.
        """
        ...

    def preview(self, brief: Brief, prompt: str, system: str) -> CommandPreview:
        """What a first launch would run; makes nothing. Raises as ``judge`` does."""
        ...

    # --- a life -----------------------------------------------------------------------------------

    def make(self, brief: Brief, words: FirstWords | None = None) -> WorkspaceMade:
        """The working copy, made or found; these words are kept before it is. Raises Refused,
        Unreachable; then nothing is half made.
        """
        ...

    def instruct(self, brief: Brief, prompt: str, system: str) -> None:
        """Keep the words of the first launch, and the rules above all words."""
        ...

    def prepare(self, brief: Brief) -> None:
        """Submodules, links and post-create commands. Raises Refused, Unreachable."""
        ...

    def launch(
        self,
        brief: Brief,
        number: int,
        hooks: HookAddress,
        record: str,
        resume: bool,
        carry: Words | None,
    ) -> Launched:
        """Start the agent or find it; a resume carries words when its command line can. An agent
        that has no conversation to go on with is told the first words of its session before them.

        ``record`` is kept beside it, for a supervisor whose database does not know it. Raises
        Refused, Unreachable, Conflict.
        """
        ...

    def stop(self, brief: Brief, *, launched: bool) -> None:
        """End the agent and everything it left behind; where none was launched, what
        prepares its working copy.
        """
        ...

    def inspect(self, brief: Brief) -> WorkspaceSeen:
        """What would be lost with the working copy."""
        ...

    def changes(self, brief: Brief, until: Until, longest: int) -> WorkspaceDiff:
        """The files it has changed since its branch left the base, with so many bytes of their
        patches. Raises NotFound when neither working copy nor branch is left.
        """
        ...

    def changed_file(
        self, brief: Brief, path: str, until: Until, context: int, longest: int
    ) -> FilePatch:
        """One of them, by the path that the list has, with so many lines around each change and no
        more than so many bytes. Raises NotFound.
        """
        ...

    def commented_files(
        self, brief: Brief, comments: Sequence[InlineComment], head: str | None
    ) -> Sequence[CommentedFile]:
        """The file that each of these is about, where their reader saw ``head`` (None: whatever
        there is). Raises Invalid for a head that is no commit, NotFound as ``changes`` does.
        """
        ...

    def remove(self, brief: Brief, *, dry_run: bool = False) -> WorkspaceRemoved:
        """Save what is only there, then remove the working copy; of an
        ended session its folder too.
        """
        ...

    # --- looking ----------------------------------------------------------------------------------

    def survey(self, runtime: str, handles: Mapping[str, RuntimeHandle | None]) -> Survey:
        """What became of the agent of each of these sessions, by one request to the runtime."""
        ...

    def terminals(self, runtime: str) -> Mapping[str, RuntimeHandle]:
        """Every terminal of a runtime, by session. Empty is proof that there is none."""
        ...

    def observe(self, wanted: Sequence[Wanted]) -> Mapping[str, Observation]:
        """Read all of these at once: files, and the screens of each runtime in one request.

        An agent is read while the last survey saw it alive, and once more after one saw it gone.
        """
        ...

    def news(self, cursor: str, timeout: float) -> News:
        """Wait until something may have become of a session since ``cursor`` (empty at first), or
        the time (seconds) is over.

        What is waited for follows from what was surveyed and observed since somebody first
        asked. Many a word is one too many; one may be lost. Asked again with the same cursor
        it tells the same again.
        """
        ...

    # --- what its agent says, and shows -----------------------------------------------------------

    def last_message(self, brief: Brief) -> str | None:
        """The agent's last words, whole as far as it writes them down; None where it does not, or
        has said nothing yet. Raises Unreachable.
        """
        ...

    def named_files(self, brief: Brief, paths: Sequence[str]) -> Sequence[NamedFile]:
        """What lies at these paths in the working copy, or why it is not shown; in their order."""
        ...

    def named_content(self, brief: Brief, path: str) -> NamedContent:
        """One of them whole. Raises Refused saying why not, NotFound."""
        ...

    # --- branches beside one another --------------------------------------------------------------

    def branch_heads(self, briefs: Sequence[Brief]) -> Mapping[str, str]:
        """The commit that each session's branch is at in its working copy. Who is not in the answer
        has none, or nobody knows. Starts no process.
        """
        ...

    def branch_changes(self, branches: Sequence[BranchAt]) -> Mapping[str, BranchChanges]:
        """The paths each of these changes since it left its base: one process each, within a time.
        Who is not in the answer is asked for again. Raises Unreachable.
        """
        ...

    def try_merges(self, pairs: Sequence[MergePair]) -> Sequence[TrialMerge | None]:
        """What would come of merging each of these, in their order; None where no time was left.
        Nothing is moved, and nothing stays. Raises Unreachable, and Refused where git is too old.
        """
        ...

    # --- what it uses -----------------------------------------------------------------------------

    def meter(self) -> MeterState:
        """How its metering proxy is; starts nothing."""
        ...

    def keep_meter(self) -> MeterState:
        """The same, started where it is gone. Raises Unreachable."""
        ...

    def leave_meter(self) -> MeterState:
        """Nobody keeps it from now on: it is ended where no session may pass, else it goes on."""
        ...

    def stop_metered(self, session_id: str, reason: str) -> None:
        """Let no further request of a session pass its proxy; its agent is told the reason."""
        ...

    def allow_metered(self, session_id: str) -> None:
        """Let its requests pass again; fine if they do."""
        ...

    def limit_metered(self, headroom: Headroom) -> None:
        """Let its proxy pass no more than this, by its own count, until it is told anew."""
        ...

    # --- what outlives a database -----------------------------------------------------------------

    def records(self) -> Sequence[tuple[str, str]]:
        """Session ids and what was recorded at their last launch."""
        ...

    def hooks(self, session_id: str) -> HookAddress | None:
        """Where the session's hooks go; None when nothing whole is there."""
        ...

    def lead_hooks(self, session_id: str, address: HookAddress) -> None:
        """Have the session's hooks go there from now on."""
        ...

    def preserved(self, project_id: str, source: str) -> Sequence[Preserved]:
        """What removals saved of a project."""
        ...

    def preserved_contents(self, item: Preserved) -> Contents:
        """What is in one."""
        ...

    def preserved_restore(self, item: Preserved, branch: str | None) -> Restored:
        """Bring one back. Raises NotFound, Refused."""
        ...

    def free_memory(self) -> int:
        """Bytes that agents could still take."""
        ...

    def free_disk(self) -> int:
        """Bytes that are free where working copies are made."""
        ...

    def disk_usage(self) -> Mapping[str, int]:
        """Bytes that Ennio's files take, by folder. May take minutes. Raises Unreachable."""
        ...

    def forget_logs(self, session_ids: Sequence[str], before: datetime) -> int:
        """Remove the logs of these sessions that nobody has written to since; how many."""
        ...
