"""Links in a notice that answer the question it tells of.

Whoever has one may answer that question with that answer, once and within ten minutes, and nothing
else: what an agent may run is never granted by one. Of a link only a digest is kept. It is used up
before a key is pressed, so that no crash lets it answer twice; it holds only as long as the notice
does and the agent asks the very same.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
import shlex
from collections.abc import Iterator, Sequence
from datetime import timedelta

from ennio.actors.dependencies import Dependencies
from ennio.model.errors import Conflict, Unauthorized
from ennio.model.facts import AgentSeen
from ennio.model.failpoints import failpoint
from ennio.model.session import Activity
from ennio.plugins.notifier.interface import NotificationAnswer
from ennio.policy import notices
from ennio.store import Notice
from ennio.store.answer_links import AnswerLink

LIFE = timedelta(minutes=10)
PATH = "/api/v1/answers"
_ASKS = "agent-needs-input"
_OTHERWISE = "`ennio answer SESSION TEXT` answers it"


def make(deps: Dependencies, notice: Notice, channel: str) -> tuple[NotificationAnswer, ...]:
    """New links for the question a notice tells of; none where it is none, or its project does
    not want it. Those given to the channel before hold no more.
    """
    project = deps.config.project(notice.project_id)
    if project is None or not project.answer or notice.reaction != _ASKS:
        return ()
    agent = deps.store.facts.get(notice.session_id).agent
    if agent is None or not asks(agent):
        return ()
    links = {option: secrets.token_urlsafe(32) for option in agent.options}
    _keep(deps, [*_rows(deps, notice, channel, agent, links)], notice, channel)
    url = f"{notices.base(deps.config)}{PATH}"
    return tuple(NotificationAnswer(option, url, link) for option, link in links.items())


def asks(agent: AgentSeen) -> bool:
    """Whether it asks a question of its own of which one answer is chosen."""
    return agent.activity is Activity.WAITING_INPUT and bool(agent.options)


def _question_of(agent: AgentSeen) -> str:
    """What its question is known by: its words, and the answers there are."""
    return _digest(json.dumps([agent.question, *agent.options]))


def _rows(
    deps: Dependencies, notice: Notice, channel: str, agent: AgentSeen, links: dict[str, str]
) -> Iterator[AnswerLink]:
    until, question = deps.clock.now() + LIFE, _question_of(agent)
    for option, link in links.items():
        yield AnswerLink(
            _digest(link), notice.id, channel, notice.session_id, question, option, until
        )


def _keep(deps: Dependencies, rows: Sequence[AnswerLink], notice: Notice, channel: str) -> None:
    with deps.store.transaction():
        deps.store.answer_links.renew(notice.id, channel, rows, deps.clock.now())


def find(deps: Dependencies, link: str) -> AnswerLink:
    """What a link stands for. Raises Unauthorized for one that is none, was used or is too old,
    Conflict where what it answers is asked no more.
    """
    digest, now = _digest(link), deps.clock.now()
    found = deps.store.answer_links.get(digest)
    if found is None or not hmac.compare_digest(found.digest, digest):
        raise Unauthorized(f"this is no link that answers a question; {_OTHERWISE}")
    if found.used_at is not None:
        raise _used(found)
    # what was made in a time to come is from before the clock was put back
    if not now <= found.expires_at <= now + LIFE:
        raise Unauthorized(f"this link is too old: it holds for ten minutes; {_otherwise(found)}")
    insist(found, deps.store.facts.get(found.session_id).agent)
    notice = deps.store.notifications.get(found.notice_id)
    if notice is None or notice.resolved_at is not None:
        raise Conflict(f"session {found.session_id} was answered, or asks no more")
    return found


def insist(link: AnswerLink, agent: AgentSeen | None) -> None:
    """Raise Conflict unless the agent asks what the link answers."""
    if agent is None or not asks(agent) or _question_of(agent) != link.question:
        raise Conflict(f"session {link.session_id} asks something else by now: look at it first")


@failpoint("answer_link.use")
def use(deps: Dependencies, link: AnswerLink) -> None:
    """Use it up, and all others of its notice; what it stands for is done after that. Raises
    Unauthorized where one of them was used.
    """
    with deps.store.transaction():
        if not deps.store.answer_links.use(link, deps.clock.now()):
            raise _used(link)


def _used(link: AnswerLink) -> Unauthorized:
    way = f"if the agent still asks, {_otherwise(link)}"
    return Unauthorized(f"a link of this notice was used already; {way}")


def _otherwise(link: AnswerLink) -> str:
    return f"`ennio answer {link.session_id} {shlex.quote(link.answer)}` answers it"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
