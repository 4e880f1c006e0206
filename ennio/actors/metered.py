"""Sessions whose agents go past the metering proxy: what it counted is told, and they are stopped
there between two requests.
"""

from __future__ import annotations

import logging
import time

from ennio.actors.dependencies import Dependencies
from ennio.actors.messages import BudgetsMoved
from ennio.actors.registry import meter_name
from ennio.hosts.observation import Observation
from ennio.model.errors import EnnioError
from ennio.model.events import Draft, EventType
from ennio.model.plural import number_of
from ennio.model.session import Priority, Session
from ennio.model.usage import Counted, MeterNews, Tokens
from ennio.store.transaction import Transaction

log = logging.getLogger(__name__)


def stop_metered(deps: Dependencies, session: Session, reason: str) -> None:
    """Let no further request of a session pass; its agent is told the reason, in an error of its
    own protocol. What is under way goes on. It holds until it is allowed again, whoever dies
    meanwhile, and does nothing for an agent that goes past no proxy. Raises Unreachable.
    """
    deps.host(session).stop_metered(session.id, reason)


def allow_metered(deps: Dependencies, session: Session) -> None:
    """Let its requests pass again; fine if they do. Raises Unreachable."""
    deps.host(session).allow_metered(session.id)


def hold(deps: Dependencies, session: Session, reason: str | None) -> None:
    """Stop it, or with no reason allow it. Where that cannot be done just now its actor goes on:
    the next one that begins does it again.
    """
    try:
        if reason is None:
            allow_metered(deps, session)
        else:
            stop_metered(deps, session, reason)
    except (EnnioError, OSError) as error:
        told = {"session_id": session.id, "reason": str(error)}
        log.warning("the metering proxy could not be told who may pass", extra=told)
    moved(deps)


def moved(deps: Dependencies) -> None:
    """Have every proxy told what is left now: somebody begins, or goes on, or has more."""
    for host in deps.hosts:
        deps.actors.tell(meter_name(host.name), BudgetsMoved(time.monotonic()))


def tell(tx: Transaction, session: Session, seen: Observation) -> None:
    """What a look found out about what was counted, as events of the transaction that notes how far
    was read.
    """
    counted = seen.agent.counted if seen.agent is not None else None
    if counted is None:
        return
    for news in seen.told:
        tx.emit(session.id, session.project_id, _draft(news, counted))


def _draft(news: MeterNews, counted: Counted) -> Draft:
    data = {
        "launch": counted.launch,
        "proxy": {"requests": counted.requests, **_tokens(counted.tokens)},
        "agent": {"requests": counted.told_requests, **_tokens(counted.told)},
    }
    if news is MeterNews.CUT_OFF:
        words = "requests were cut off with the metering proxy: what they used nobody knows"
        return Draft(EventType.USAGE_UNKNOWN, words, Priority.ACTION, data)
    words = f"{told(counted)}; what passed is in the books"
    return Draft(EventType.USAGE_DIFFERS, words, Priority.INFO, data)


def told(counted: Counted) -> str:
    """How what was counted stands to what the agent tells, in words."""
    return (
        f"the proxy counted {_words(counted.requests, counted.tokens)}, its agent tells of "
        f"{_words(counted.told_requests, counted.told)}"
    )


def _words(requests: int, tokens: Tokens | None) -> str:
    told = tokens or Tokens()
    many = number_of(requests, "request")
    return f"{many} ({told.given} tokens in, {told.output} out)"


def _tokens(tokens: Tokens | None) -> dict[str, int]:
    return {} if tokens is None else {"input": tokens.given, "output": tokens.output}
