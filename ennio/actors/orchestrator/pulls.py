"""Pull requests: looking at them, reviewing and merging them, as a person."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ennio.actors import landing
from ennio.actors.dependencies import Dependencies
from ennio.actors.landing import MergeOrder
from ennio.actors.messages import LookNow
from ennio.actors.registry import forge_name
from ennio.model.changes import Diff, Files
from ennio.model.errors import Conflict, NotFound, Refused
from ennio.model.failpoints import failpoint
from ennio.model.pulls import PullRequest, ReviewState
from ennio.plugins.forge.interface import (
    Forge,
    Merged,
    Readable,
    RemindsReviewers,
    Rerunnable,
    Revocable,
)

_HANDED_ON = "hands on to the forge, where it is played, and writes nothing"


@dataclass(frozen=True, slots=True)
class PullApi:
    """What can be asked of pull requests; raises NotFound for a project without a forge."""

    deps: Dependencies

    def list(self, project_id: str | None = None) -> Sequence[tuple[str, PullRequest]]:
        """The pull requests of one project, or of all that have a forge."""
        projects = [self.deps.project(project_id)] if project_id else self.deps.config.projects
        forges = [(project.id, self.deps.plugins.forge(project)) for project in projects]
        return [
            (name, pull) for name, forge in forges if forge is not None for pull in forge.pulls()
        ]

    def get(self, project_id: str, number: int) -> PullRequest:
        """One pull request."""
        return self._forge(project_id).look(number)

    def files(self, project_id: str, number: int) -> Files:
        """The files a pull request changes. Raises Refused where the forge does not tell."""
        return self._readable(project_id, number).files(number)

    def diff(self, project_id: str, number: int) -> Diff:
        """What a pull request changes, as text. Raises Refused where the forge does not tell."""
        return self._readable(project_id, number).diff(number)

    def _readable(self, project_id: str, number: int) -> Readable:
        forge = self._forge(project_id)
        if not isinstance(forge, Readable):
            raise Refused(
                f"the forge {forge.name} does not tell what a pull request changes; look there: "
                f"ennio pr show {project_id}#{number}"
            )
        return forge

    @failpoint("order.open_pull", because=_HANDED_ON)
    def open(
        self, project_id: str, branch: str, title: str, body: str, *, draft: bool = False
    ) -> PullRequest:
        """Open a pull request for a pushed branch."""
        base = self.deps.project(project_id).default_branch
        return self._told(
            project_id, self._forge(project_id).open(branch, base, title, body, draft=draft)
        )

    @failpoint("order.review", because=_HANDED_ON)
    def review(
        self,
        project_id: str,
        number: int,
        author: str,
        decision: ReviewState,
        body: str,
        path: str | None = None,
        line: int | None = None,
        head: str | None = None,
    ) -> PullRequest:
        """Review as a person; ``head`` is the commit they saw. No session approves its own work."""
        return self._told(
            project_id,
            landing.review(
                self.deps,
                self.deps.project(project_id),
                self._forge(project_id),
                number,
                author,
                decision,
                body,
                path,
                line,
                head,
            ),
        )

    @failpoint("order.reply", because=_HANDED_ON)
    def reply(self, project_id: str, number: int, comment_id: str, body: str) -> PullRequest:
        """Answer a comment where it stands."""
        return self._told(project_id, self._forge(project_id).reply(number, comment_id, body))

    @failpoint("order.resolve", because=_HANDED_ON)
    def resolve(self, project_id: str, number: int, thread_id: str) -> PullRequest:
        """Settle a thread."""
        return self._told(project_id, self._forge(project_id).resolve(number, thread_id))

    @failpoint("order.merge", because=_HANDED_ON)
    def merge(self, project_id: str, number: int, order: MergeOrder = MergeOrder()) -> Merged:  # noqa: B008 - it is frozen
        """Merge as a person. Raises Refused with what is missing, unless the order
        is to do it all the same.
        """
        merged = landing.merge(
            self.deps, self.deps.project(project_id), self._forge(project_id), number, order
        )
        self._look_again(project_id)
        return merged

    def undelivered(self, project_id: str, number: int) -> int:
        """How many messages its agent has not got that are nobody's once it is merged."""
        return landing.undelivered(self.deps, self.deps.project(project_id), number)

    @failpoint("order.close_pull", because=_HANDED_ON)
    def close(self, project_id: str, number: int) -> PullRequest:
        """Close without merging."""
        return self._told(project_id, self._forge(project_id).close(number))

    @failpoint("order.ready_pull", because=_HANDED_ON)
    def ready(self, project_id: str, number: int) -> PullRequest:
        """Take it out of draft."""
        return self._told(project_id, self._forge(project_id).ready(number))

    @failpoint("order.rerun_checks", because="to run checks once more changes nothing")
    def rerun(self, project_id: str, number: int) -> PullRequest:
        """Run the checks of its head again, where the forge can."""
        forge = self._forge(project_id)
        if not isinstance(forge, Rerunnable):
            raise Refused(f"checks on {forge.name} are run again there, not from here")
        return self._told(project_id, forge.rerun(number))

    @failpoint("order.nudge_reviewers", because="tells people of a forge; a lost one costs time")
    def remind(self, project_id: str, number: int) -> PullRequest:
        """Tell its reviewers again that they are waited for. Raises Refused where the forge
        cannot.
        """
        forge = self._forge(project_id)
        if not isinstance(forge, RemindsReviewers):
            raise Refused(f"{forge.name} tells nobody of a review; tell its reviewers yourself")
        return self._told(project_id, forge.remind(number))

    @failpoint("order.leave_queue", because=_HANDED_ON)
    def leave_queue(self, project_id: str, number: int) -> PullRequest:
        """Have the forge not merge it later. Raises Refused for one that does not do that, and
        Conflict where it was not about to.
        """
        forge = self._forge(project_id)
        if not isinstance(forge, Revocable):
            raise Refused(f"{forge.name} merges at once or not at all; there is no queue to leave")
        if not forge.look(number).merging:
            raise Conflict(f"#{number} is in no merge queue, and nothing merges it by itself")
        forge.withdraw(number)
        return self._told(project_id, forge.look(number))

    def _forge(self, project_id: str) -> Forge:
        forge = self.deps.plugins.forge(self.deps.project(project_id))
        if forge is None:
            raise NotFound(f"project {project_id} has no forge; add scm_config to it")
        return forge

    def _told(self, project_id: str, pull: PullRequest) -> PullRequest:
        self._look_again(project_id)
        return pull

    def _look_again(self, project_id: str) -> None:
        self.deps.actors.tell(forge_name(self.deps.project(project_id).id), LookNow())
