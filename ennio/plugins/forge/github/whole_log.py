"""The whole log of a check on GitHub: that of its job of Actions, else what the check itself says.

A log lies on another server and is given whole; what was read last is kept for the next part.
"""

from __future__ import annotations

from ennio.model.check_log import LONGEST_LOG, CheckLog, LogPart
from ennio.model.errors import NotFound
from ennio.model.failpoints import asks
from ennio.model.pulls import PullRequest
from ennio.plugins.forge.github.check_words import plain
from ennio.plugins.forge.github.parsing import Node, contexts
from ennio.plugins.github.client import GitHubClient


class WholeLogs:
    """Reads the logs of one repository."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._last: tuple[object, bytes] = (None, b"")

    def read(self, node: Node, pull: PullRequest, check: str, part: LogPart) -> CheckLog:
        """A part of the log of one check of the head, by its name or id. Raises NotFound."""
        run = next((one for one in pull.check_runs if check in (one.id, one.name)), None)
        if run is None:
            names = ", ".join(one.name for one in pull.check_runs) or "none"
            raise NotFound(f"#{pull.number} has no check {check!r}; there are: {names}")
        job = next((one.get("databaseId") for one in contexts(node) if one.get("id") == run.id), 0)
        raw = run.log_tail.encode("utf-8", "replace")
        if job and _is_of_actions(node, run.id):
            raw = self._log(job, (run.id, run.state))
        if not raw:
            raise NotFound(
                f"check {run.name} of #{pull.number} tells no log; look there: {run.url}"
            )
        return part.of(run.id, run.name, run.state, pull.head, raw)

    @asks("get.actions.jobs.logs", "get.elsewhere")
    def _log(self, job: int, known_by: object) -> bytes:
        if self._last[0] != known_by:
            text = self._client.text(self._client.address.at("actions", "jobs", job, "logs"))
            self._last = (known_by, plain(text).encode("utf-8", "replace")[:LONGEST_LOG])
        return self._last[1]


def _is_of_actions(node: Node, run: str) -> bool:
    suite = next((one.get("checkSuite") for one in contexts(node) if one.get("id") == run), None)
    return ((suite or {}).get("app") or {}).get("slug") == "github-actions"
