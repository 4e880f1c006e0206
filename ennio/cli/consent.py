"""What a person says to a configuration file that was never seen here: shown
whole, asked once, kept.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

from ennio.model.errors import Untrusted

if TYPE_CHECKING:
    from ennio.cli.context import CliContext
    from ennio.config.model import Config, Demand


def obtain(config: Config, context: CliContext, *, given: bool, verb: str = "start") -> None:
    """Make sure that the file is trusted: it is, or ``given`` says so, or a person is asked.
    Raises Untrusted, Refused.
    """
    from ennio.config import trusted
    from ennio.machine.home import Home

    home = Home.of_environment()
    new = trusted.unknown(config, home, os.environ)
    if not new:
        return
    if not given and not _agreed(config, new, context, before=trusted.known(config.source, home)):
        raise Untrusted(trusted.refusal(config.source, new, verb))
    trusted.trust(config, home, os.environ)


def _agreed(config: Config, new: Collection[Demand], context: CliContext, *, before: bool) -> bool:
    if not context.interactive or context.json:
        return False
    began = (
        "has changed since you trusted it. What is new would"
        if before
        else "is not known here. It would"
    )
    context.note("\n".join([f"{config.source} {began}", "", *told(new), ""]))
    context.note("Trust it? It runs as you, with your files. [y/N]")
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def told(demands: Collection[Demand]) -> Iterator[str]:
    """The demands for people, by what they can do; nothing is left out, and no line
    can be taken for another's.
    """
    from ennio.config.trust_keys import Trust

    for kind in Trust:
        those = [demand for demand in demands if demand.kind == kind]
        yield from [f"  {kind}"] if those else []
        for demand in those:
            first, *rest = [line for word in demand.words or ("",) for line in _lines(word)]
            yield f"    {demand.place}: {first}"
            yield from (f"        {line}" for line in rest)


def _lines(word: str) -> list[str]:
    first, *rest = word.splitlines() or [""]
    return [first, *(f"| {line}" for line in rest)]


def listed(config: Config, new: Collection[Demand]) -> dict[str, Any]:
    """The same for programs."""
    demands = [
        {
            "kind": demand.kind,
            "place": demand.place,
            "words": list(demand.words),
            "trusted": demand not in new,
        }
        for demand in config.demands
    ]
    return {"file": str(config.source), "trusted": not new, "demands": demands}
