"""When CI fails, a review comes, an agent is stuck ...: what is done about it. Pure.

Level-triggered: a *case* holds or does not, whatever happened in between, and names what was seen.
``decide`` compares that with what was done before. One thing seen, one action.
"""

from ennio.policy.reactions.cases import all_complete, case, on_its_way
from ennio.policy.reactions.decide import (
    Decision,
    ReactionState,
    Verdict,
    decide,
    is_called_off,
    is_over,
    shifted,
)
from ennio.policy.reactions.pull_request import to_agent
from ennio.policy.reactions.seen_item import SeenItem
from ennio.policy.reactions.situation import Case, Situation
from ennio.policy.reactions.text import notice, notice_of_project, words_of

__all__ = ["Case", "Decision", "ReactionState", "SeenItem", "Situation", "Verdict"]
__all__ += [
    "all_complete",
    "case",
    "decide",
    "is_called_off",
    "is_over",
    "notice",
    "notice_of_project",
    "on_its_way",
    "shifted",
    "to_agent",
    "words_of",
]
