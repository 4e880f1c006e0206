"""What a failing check has to say: its annotations and the last lines of its
log, read once for each run.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from ennio.model.errors import EnnioError, NotFound, Unreachable
from ennio.model.failpoints import asks
from ennio.model.printable import settled
from ennio.model.pulls import CheckState, PullRequest
from ennio.plugins.forge.github.graphql import FAILURES
from ennio.plugins.forge.github.parsing import Node, contexts
from ennio.plugins.github.client import GitHubClient

log = logging.getLogger(__name__)
LINES = 60
LENGTH = 8 * 1024
_ANNOTATIONS = 20
_HELD = 500
_AT_ONCE = 50
_PATIENCE = timedelta(minutes=2)
"""How long words that cannot be read are waited for: a log is there some time after its job has
ended, and any server may be away.
"""
_STAMP = re.compile(r"^\ufeff?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z ?")
_AFTERMATH = re.compile(r"^(Post job cleanup\.|##\[group\]Post |Cleaning up orphan processes)")


class Failures:
    """The words of failing checks by run; a run never changes its words once it has ended."""

    def __init__(self, client: GitHubClient) -> None:
        self._client = client
        self._words: OrderedDict[str, str] = OrderedDict()
        self._unread: dict[str, datetime] = {}

    def with_words(self, pulls: Mapping[int, tuple[Node, PullRequest]]) -> dict[int, PullRequest]:
        """The pull requests with the words of their failing checks; one query for all that are new.

        Trouble in reading them leaves the check failing and unread for a while; then its words
        say what was the trouble.
        """
        failing = {
            context["id"]: context
            for node, pull in pulls.values()
            for context in _failed_runs(node, pull)
        }
        passing = self._read_new(
            {run: context for run, context in failing.items() if run not in self._words}
        )
        words = {**{run: self._words.get(run, "") for run in failing}, **passing}
        unread = self._waited_for(passing)
        return {number: _with_words(pull, words, unread) for number, (_, pull) in pulls.items()}

    def _waited_for(self, passing: Iterable[str]) -> set[str]:
        """Those of which something is missing and that are not given up yet; they are
        read again all the same.
        """
        now = self._client.now()
        # a time to come is one from before the clock was put back
        self._unread = {run: min(self._unread.get(run, now), now) for run in passing}
        return {run for run, since in self._unread.items() if now - since < _PATIENCE}

    def _read_new(self, new: Mapping[str, Node]) -> dict[str, str]:
        """Keep the words of these runs; returned are those in which something is missing
        that may be there next time.
        """
        passing = {}
        ids = list(new)
        for start in range(0, len(ids), _AT_ONCE):
            details = self._details(ids[start : start + _AT_ONCE])
            for run in ids[start : start + _AT_ONCE]:
                words, final = self._words_of(new[run], details)
                if final:
                    self._words[run] = words
                else:
                    passing[run] = words
        self._forget()
        return passing

    def _forget(self) -> None:
        while len(self._words) > _HELD:
            self._words.popitem(last=False)

    def _details(self, ids: Sequence[str]) -> Mapping[str, Node] | None:
        try:
            nodes = self._client.ask(FAILURES, {"ids": list(ids)})["nodes"]
        except EnnioError as error:
            log.info("annotations could not be read", extra={"error": str(error)})
            return None
        return {node["id"]: node for node in nodes if node}

    @asks("get.actions.jobs.logs", "get.elsewhere")
    def _words_of(self, run: Node, details: Mapping[str, Node] | None) -> tuple[str, bool]:
        """The words, and whether they are final; a log that is forbidden will not
        be there next time either.
        """
        annotations = annotated((details or {}).get(run["id"]))
        if (run["checkSuite"]["app"] or {}).get("slug") != "github-actions" or not run[
            "databaseId"
        ]:
            return annotations, details is not None
        final = details is not None
        try:
            tail = cut(
                self._client.text(
                    self._client.address.at("actions", "jobs", run["databaseId"], "logs")
                )
            )
        except EnnioError as error:
            tail, final = (
                f"(the log could not be read: {error})",
                final and not isinstance(error, Unreachable | NotFound),
            )
        return "\n".join(filter(None, [annotations, tail])), final


def _with_words(
    pull: PullRequest, words: Mapping[str, str], unread: Collection[str]
) -> PullRequest:
    runs = tuple(
        replace(run, log_tail=words.get(run.id, run.log_tail), unread=run.id in unread)
        for run in pull.check_runs
    )
    return replace(pull, check_runs=runs) if runs != pull.check_runs else pull


def _failed_runs(node: Node, pull: PullRequest) -> list[Node]:
    failing = {run.id for run in pull.check_runs if run.state is CheckState.FAILING}
    return [
        context
        for context in contexts(node)
        if context["__typename"] == "CheckRun" and context["id"] in failing
    ]


def annotated(run: Node | None) -> str:
    """The annotations of a check run with their places, after its own title and summary."""
    if run is None:
        return ""
    found = run["annotations"] or {"totalCount": 0, "nodes": ()}
    lines = [line for line in (run["title"], run["summary"]) if line and line.strip()]
    lines += [_annotation(item) for item in found["nodes"][:_ANNOTATIONS]]
    if found["totalCount"] > _ANNOTATIONS:
        lines.append(f"(and {found['totalCount'] - _ANNOTATIONS} more annotations)")
    return plain("\n".join(lines))[:LENGTH]


def _annotation(item: Mapping[str, Any]) -> str:
    level = (item["annotationLevel"] or "note").lower()
    return f"{item['path']}:{item['location']['start']['line']}: {level}: {item['message'].strip()}"


def cut(text: str) -> str:
    """The end of an Actions log that matters: up to the step that failed, without times,
    clean-up and escape codes.
    """
    lines = [_STAMP.sub("", line) for line in plain(text).split("\n")]
    errors = [index for index, line in enumerate(lines) if line.startswith("##[error]")]
    if errors:
        lines = lines[: errors[-1] + 1]
    else:
        end = next(
            (index for index, line in enumerate(lines) if _AFTERMATH.match(line)), len(lines)
        )
        lines = lines[:end]
    tail = "\n".join("\n".join(lines).rstrip().split("\n")[-LINES:])
    return tail if len(tail) <= LENGTH else tail[-LENGTH:].partition("\n")[2] or tail[-LENGTH:]


def plain(text: str) -> str:
    """A text without escape codes; a line that was overwritten is shown as it was last."""
    return settled(text)
