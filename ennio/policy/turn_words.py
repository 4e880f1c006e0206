"""Why it is somebody's turn, in one sentence whose first words say the most: a narrow column shows
no others. Pure.
"""

from __future__ import annotations

from ennio.model.facts import AgentSeen, Place
from ennio.model.plural import number_of
from ennio.model.printable import one_line
from ennio.model.pulls import Check, CheckState, PullRequest
from ennio.model.session import Activity, Session
from ennio.model.session import SessionStatus as S
from ennio.policy.reactions import ReactionState

LONGEST = 160
TITLE = 80
_CALLED = {
    "approved-and-green": "approved and green, and it could not be merged",
    "agent-stuck": "no activity of the agent for a while",
    "fan-out": "it began more agents, or burns more tokens, than it may",
    "anomaly": "what it uses is out of the ordinary",
}


def sentence(text: str | None) -> str:
    """A text on one line, as much of it as there is room for."""
    return _short(text or "", LONGEST)


def title(given: str | None, prompt: str | None, otherwise: str) -> str:
    """What a session is about: its issue's title, or the first line of its prompt that says
    something.
    """
    lines = (line.strip() for line in (prompt or "").splitlines())
    first = given or next(filter(None, lines), "") or otherwise
    return _short(first, TITLE)


def _short(text: str, longest: int) -> str:
    line = " ".join(one_line(text[: 4 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def paused(why: str) -> str:
    """Which budget is used up, and until when; the ways on stand beside it as verbs."""
    return sentence(why.removeprefix("paused: ").partition(". ")[0])


def question(agent: AgentSeen | None) -> str:
    """What the agent asks."""
    asked = sentence(agent.question if agent is not None else None)
    return asked or "it waits for an answer, and does not say to what"


def gone(place: Place, session: Session) -> str:
    """What became of its working copy and which command leads on; the paths are long, and stand in
    the reason of its status.
    """
    if place is Place.GONE:
        return f"its working copy is gone: ennio session restore {session.id}"
    what = {
        Place.MOVED: "its working copy was moved",
        Place.CUT_OFF: "its working copy has lost its repository",
        Place.BRANCHLESS: "its branch was deleted",
    }
    return f"{what[place]}: ennio session why {session.id} says what brings it back"


def called(key: str, state: ReactionState, pull: PullRequest | None, session: Session) -> str:
    """Why a person was called, and what was tried before."""
    after = f": {_tries(state.attempts)} did not mend it" if state.escalated_at is not None else ""
    if key in _CALLED:
        return _CALLED[key]
    said = {
        "ci-failed": f"{failing(pull)} failed",
        "changes-requested": "a reviewer asks for changes",
        "bugbot-comments": "comments of bots",
        "merge-conflicts": f"conflicts with {_base(pull)}",
    }
    return sentence(f"{said.get(key, session.reason or key)}{after}")


def _tries(count: int) -> str:
    return number_of(count, "try", "tries")


def failing(pull: PullRequest | None) -> str:
    """The checks that fail, by name."""
    names = ", ".join(check.name for check in pull.failing) if pull is not None else ""
    return names or "checks"


def ready(status: S, pull: PullRequest | None) -> str:
    """What makes it ready to be merged."""
    approved = "approved" if status is S.APPROVED else "no review is required"
    return f"{approved}, {_passed(pull)}"


def _passed(pull: PullRequest | None) -> str:
    if pull is None:
        return "its checks pass"
    if pull.unchecked:
        return "there are no checks"
    many = sum(run.state is CheckState.PASSING for run in pull.check_runs)
    if not many:
        return "its checks pass"
    return number_of(many, "check passes", "checks pass")


def waits_for_you(pull: PullRequest | None) -> str:
    """That a review is wanted from whoever reads this."""
    again = _looked_before(pull) and not (pull is not None and pull.asks_you)
    return f"waits for another look at {_head(pull)}" if again else "waits for your review"


def waits_for_others(pull: PullRequest | None) -> str:
    """Whose review is waited for, where that is known."""
    if again := ", ".join(_looked_before(pull)):
        return sentence(f"waits for {again} to look at {_head(pull)}")
    asked = ", ".join(pull.asked) if pull is not None else ""
    return sentence(f"waits for {asked}") if asked else "waits for a review"


def _looked_before(pull: PullRequest | None) -> tuple[str, ...]:
    opinions = () if pull is None else pull.answered or pull.stale
    return tuple(one.author for one in opinions)


def _base(pull: PullRequest | None) -> str:
    return pull.base if pull is not None else "its base"


def _head(pull: PullRequest | None) -> str:
    return pull.head[:7] if pull is not None else "it"


def silent(session: Session) -> str:
    """What gives no signal."""
    if session.no_signal:
        return sentence(f"no signal: {session.no_signal}")
    return "neither the agent nor its screen tells anything"


def pending(pull: PullRequest | None) -> str:
    """How many checks run still."""
    runs: tuple[Check, ...] = pull.check_runs if pull is not None else ()
    waits = sum(run.state in (CheckState.PENDING, CheckState.UNKNOWN) for run in runs)
    return f"{waits} of {len(runs)} checks pending" if waits else "its checks are not through"


def merging(pull: PullRequest | None) -> str:
    """Who merges it."""
    if pull is not None and pull.merging:
        return "the forge merges it as soon as it can"
    return "Ennio merges it by itself"


def told(word: str, state: ReactionState, pull: PullRequest | None) -> str:
    """What the agent was told, and how often."""
    nth = f", try {state.attempts}" if state.attempts > 1 else ""
    if word == "fixes":
        return sentence(f"was told that {failing(pull)} failed{nth}")
    if word == "rebases":
        return sentence(
            f"was told of conflicts with {pull.base if pull is not None else 'its base'}"
        )
    many = len(pull.comments) if pull is not None else 0
    what = number_of(many, "comment") if many else "a request for changes"
    return f"was told of {what}{nth}"


def rests(activity: Activity | None, agent: AgentSeen | None, session: Session) -> str:
    """That nobody is at work, what the agent says of that, and where that leaves it."""
    if activity is Activity.EXITED:
        return sentence(f"its agent has ended; {session.reason or ''}".rstrip("; "))
    told = (agent.detail if agent is not None else "").rstrip(". ")
    return sentence("; ".join(filter(None, (activity or "ready", told, session.reason))))


def works(agent: AgentSeen | None, session: Session) -> str:
    """What it does, in its own words where it has some."""
    return sentence((agent.detail if agent is not None else "") or session.reason)
