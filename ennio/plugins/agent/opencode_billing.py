"""Which providers opencode asks on a plan, by how its person is logged in to them.

Its ``auth.json`` names each provider with the kind of its login: ``api`` is a key, whose requests
are metered, ``oauth`` an account. What an account is asked for costs nothing by opencode's own
count where it is a plan; one that it reckons money for is metered all the same.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.model.usage import Billing

_LARGEST = 1 << 20


def accounts(machine: Machine, file: Path) -> tuple[str, ...]:
    """The providers that are logged in to by an account; none where that cannot be read."""
    try:
        found: Any = json.loads(single.content(machine, file, _LARGEST))
    except (OSError, ValueError, RecursionError):
        return ()
    logins = found.items() if isinstance(found, dict) else ()
    return tuple(name for name, one in logins if _is_account(one))


def _is_account(login: object) -> bool:
    return isinstance(login, Mapping) and login.get("type") == "oauth"


def billing(provider: str | None, cost: Decimal | None, accounts: Collection[str]) -> Billing:
    """Who pays for a request to a provider, which cost so much by opencode's own count."""
    return Billing.PLAN if cost is None and provider in accounts else Billing.METERED
