"""Many recorded sessions, as a busy house has them: what a list of rows is made of."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from decimal import Decimal

from ennio.model import codec
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, Presence, ProcessSeen, WorkspaceSeen
from ennio.model.pulls import Check, CheckState, PullRequest, PullState, ReviewState
from ennio.model.session import Activity, RuntimeHandle, Session, SessionStatus, Usage
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase
from ennio.policy.reactions import ReactionState, SeenItem
from ennio.store import Store

_VERBS = ("Fix", "Add", "Rename", "Speed up", "Split", "Cache", "Drop", "Port", "Migrate", "Retry")
_THINGS = ("login form", "date test", "export button", "avatar images", "settings tab", "webhooks")
_PLACES = ("of the editor", "in CI", "on phones", "for XML", "with jitter", "behind a flag", "")
_STATES = (
    (SessionStatus.WORKING, Activity.ACTIVE),
    (SessionStatus.WORKING, Activity.WAITING_INPUT),
    (SessionStatus.WORKING, Activity.READY),
    (SessionStatus.PR_OPEN, Activity.READY),
    (SessionStatus.CI_FAILED, Activity.ACTIVE),
    (SessionStatus.REVIEW_PENDING, Activity.IDLE),
    (SessionStatus.APPROVED, Activity.IDLE),
    (SessionStatus.EXITED, Activity.EXITED),
    (SessionStatus.MERGED, Activity.IDLE),
)
_BY_STATUS = {
    SessionStatus.CI_FAILED: CheckState.FAILING,
    SessionStatus.PR_OPEN: CheckState.PENDING,
}


def record(store: Store, many: int, now: datetime) -> list[str]:
    """Write so many sessions with all that is known of them; their ids."""
    chance = random.Random(7)
    with store.transaction():
        return [_one(store, number, now, chance) for number in range(many)]


def _one(store: Store, number: int, now: datetime, chance: random.Random) -> str:
    name = f"ma-{chance.getrandbits(32):08x}"
    status, activity = _STATES[number % len(_STATES)]
    began = now - timedelta(seconds=chance.uniform(600, 90_000))
    since = now - timedelta(seconds=chance.uniform(5, 599))
    title = f"{chance.choice(_VERBS)} the {chance.choice(_THINGS)} {chance.choice(_PLACES)}".strip()
    pull = (
        None if status in _STATES[0] or number % 9 in (0, 1, 2, 7) else _pull(number, name, status)
    )
    reason = f"why it is {status}" if pull is None else f"pull request #{pull.number} is {status}"
    store.sessions.insert(
        Session(
            name, "my-app", status, began, since, "c0ffee" * 8, activity, f"feat/{name}", "main",
            prompt=f"{title}\n\n{'Look at all of it, and write tests. ' * 20}",
            workspace_path=f"/home/someone/.ennio/worktrees/my-app/{name}",
            workspace_name="worktree", runtime_name="tmux", agent_name="claude-code",
            runtime_handle=RuntimeHandle(name, "tmux", {"pid": str(4000 + number)}),
            usage=Usage(120_000 + number, 9_000, Decimal(number) / 100, "claude-sonnet-5"),
            summary="It reads the code, writes a test and mends what fails. " * 3,
            pr_url=None if pull is None else pull.url,
            pr_number=None if pull is None else pull.number,
            tmux_name=name, reason=reason, metadata={"title": title},
        )
    )  # fmt: skip
    store.facts.save(name, _facts(name, activity, since, now, pull))
    state = LifecycleState(
        status, since, Desired.WATCH, Phase.LAUNCHED, True, activity, since, reason,
        launches=1, launched_at=began, ready_at=began, head="a" * 40, head_at=since,
    )  # fmt: skip
    store.memories.save(name, codec.dumps(state))
    told = ReactionState(1, since, 1, tuple(SeenItem(f"{number}:{each}") for each in range(5)))
    store.reactions.save(name, "ci-failed", codec.dumps(told))
    return name


def _pull(number: int, name: str, status: SessionStatus) -> PullRequest:
    checks = _BY_STATUS.get(status, CheckState.PASSING)
    runs = tuple(
        Check(f"{number}-{each}", f"test (3.{each})", checks, log_tail="E  assert 3 == 4\n" * 20)
        for each in range(9)
    )
    url = f"https://github.com/someone/my-app/pull/{number}"
    return PullRequest(
        number, url, name, f"feat/{name}", "main", "a" * 40,
        PullState.MERGED if status is SessionStatus.MERGED else PullState.OPEN,
        checks=checks, check_runs=runs, review=ReviewState.REQUIRED,
    )  # fmt: skip


def _facts(
    name: str, activity: Activity, since: datetime, now: datetime, pull: PullRequest | None
) -> Facts:
    asked = "Run npm install?" if activity is Activity.WAITING_INPUT else None
    presence = Presence.ALIVE if pull is not None else Presence.GONE
    return Facts(
        ProcessSeen(Presence.ALIVE, now, "tmux", pid=4000, output_at=since, title=name, number=1),
        AgentSeen(now, "hooks", activity, True, since, asked, "It reads the code.", 3, 1),
        WorkspaceSeen(now, True, f"feat/{name}", "a" * 40),
        ForgeSeen(presence, now, "github", pull),
    )
