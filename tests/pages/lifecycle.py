"""The page that shows a session's statuses and the arrows between them, made from their table."""

from __future__ import annotations

from collections.abc import Iterator

from ennio.model.session import SessionStatus as S
from ennio.policy.lifecycle.transitions import (
    ARROWS,
    LIVE,
    PHASES,
    TRANSITIONS,
    WITH_PULL,
    Transition,
)

_PULL = "with_pull"
_HEAD = """\
# The life of a session

Every session has a status, from `spawning` to `merged`, `done` or `killed`. This
page says what leads to each and which can follow which; it is made from the table in
`ennio/policy/lifecycle/transitions.py`, and a test holds that to the rules in
`ennio/policy/lifecycle/status.py` and, where there is a pull request, `pull_request.py` beside it.

A status is derived from what was seen, anew each time: the first rule that matches gives it. So
nearly every status can follow every other one: an agent that Ennio did not see for an hour may have
opened a pull request, had it reviewed and merged. What can be seen of no source that matters
changes nothing (`no signal` is shown beside the status). `ennio session why ID` tells the rule and
the facts.
"""


def page() -> str:
    """The whole page, as Markdown."""
    return "\n".join([_HEAD, *_diagram(), *_rules(), *_matrix(), *_phases()])


def _diagram() -> Iterator[str]:
    """The statuses, those with an open pull request drawn together."""
    yield "```mermaid\nstateDiagram-v2\n    direction LR\n    [*] --> spawning"
    yield f'    state "an open pull request" as {_PULL} {{'
    yield from (f"        {status}" for status in WITH_PULL)
    yield "    }"
    arrows = dict.fromkeys(
        (_drawn(source), _drawn(target))
        for source in S
        for target in S
        if (source, target) in ARROWS
    )
    yield from (f"    {source} --> {target}" for source, target in arrows if source != target)
    yield from (f"    {status} --> [*]" for status in (S.DONE, S.KILLED))
    yield "```\n"


def _drawn(status: S) -> str:
    return _PULL if status in WITH_PULL else status.value


def _rules() -> Iterator[str]:
    yield "## The rules, in the order in which they are asked\n"
    yield "| Status | When | Seen by | From | Rule |\n|---|---|---|---|---|"
    for one in TRANSITIONS:
        yield f"| `{one.target}` | {one.when} | {one.fact} | {_sources(one)} | `{one.rule}` |"
    yield ""


def _sources(one: Transition) -> str:
    """The sources in words; those that are live all but some by what is left out."""
    left_out = [f"`{status}`" for status in LIVE if status not in one.sources]
    if len(left_out) == len(LIVE) - 1 or not set(one.sources) <= set(LIVE):
        return ", ".join(f"`{status}`" for status in one.sources)
    return (
        f"any that has not ended, but not {', '.join(left_out)}"
        if left_out
        else "any that has not ended"
    )


def _matrix() -> Iterator[str]:
    yield "## Every arrow\n\nFrom the left to the top.\n"
    yield f"| | {' | '.join(f'`{status}`' for status in S)} |\n|---|{':-:|' * len(S)}"
    for source in S:
        marks = ("●" if (source, target) in ARROWS else "" for target in S)
        yield f"| `{source}` | {' | '.join(marks)} |"
    yield ""


def _phases() -> Iterator[str]:
    """How far a session has been made."""
    yield (
        "## How far it has been made\n\nThe status tells where a session stands; its phase, what "
        "there is of it.\n"
    )
    yield "```mermaid\nstateDiagram-v2\n    direction LR\n    [*] --> new"
    yield from (f"    {one.source} --> {one.target}" for one in PHASES)
    yield "```\n"
    yield "| From | To | When |\n|---|---|---|"
    yield from (f"| `{one.source}` | `{one.target}` | {one.when} |" for one in PHASES)
    yield ""
