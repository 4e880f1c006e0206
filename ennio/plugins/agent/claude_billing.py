"""Whether claude-code's work is on a plan, by how its person is logged in.

A key or a token for the API in the environment comes before every login. A login through the
browser is one of a plan (its subscription is named beside its token, or it is an account without a
key of its own); one of the console has left a key behind, and is metered.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.model.errors import Refused
from ennio.model.usage import Billing
from ennio.plugins.agent.claude_trust import read

_METERED = ("ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN")
_PLAN = "CLAUDE_CODE_OAUTH_TOKEN"


def billing(machine: Machine, file: Path, credentials: Path, env: Mapping[str, str]) -> Billing:
    """Who pays; ``file`` is its ``.claude.json``. What cannot be read says
    nothing, and then it is metered.
    """
    if any(env.get(name) for name in _METERED):
        return Billing.METERED
    if env.get(_PLAN) or _subscription(machine, credentials):
        return Billing.PLAN
    try:
        known = read(machine, file)
    except Refused:
        return Billing.METERED
    account = isinstance(known.get("oauthAccount"), Mapping)
    return Billing.PLAN if account and not known.get("primaryApiKey") else Billing.METERED


def _subscription(machine: Machine, credentials: Path) -> bool:
    try:
        login = read(machine, credentials).get("claudeAiOauth")
    except Refused:
        return False
    return isinstance(login, Mapping) and bool(login.get("subscriptionType"))
