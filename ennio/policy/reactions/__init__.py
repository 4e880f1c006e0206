"""When CI fails, a review comes, an agent is stuck ...: what is done about it. Pure.

Level-triggered: a *case* holds or does not, whatever happened in between, and names what was seen.
``decide`` compares that with what was done before. One thing seen, one action.
"""

from ennio.policy.reactions.cases import Case, Situation, all_complete, case
from ennio.policy.reactions.decide import Decision, ReactionMemory, Verdict, decide, shifted
from ennio.policy.reactions.words import notice, to_agent

__all__ = ["Case", "Decision", "ReactionMemory", "Situation", "Verdict", "all_complete", "case", "decide", "notice", "shifted", "to_agent"]
