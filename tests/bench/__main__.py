"""``python -m tests.bench [--json] [--quick] [--only NAME ...]``: measures, with progress on
stderr, and prints. See ``bin/bench``.
"""

from __future__ import annotations

from ennio import dataclass_methods

if __name__ == "__main__":  # as early as the supervisor does it, whose work is measured here
    dataclass_methods.compile_when_called()

import argparse
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ennio.model.errors import EnnioError
from tests.bench.figure import Figure, Group, Run
from tests.bench.figures import (
    board,
    commits,
    crowd,
    events,
    kill,
    message,
    observed,
    page,
    prompt,
    proxy,
    reads,
    relay,
    requests,
    server,
    ssh,
    start,
    terminal,
    token,
    usage,
    webhook,
)
from tests.bench.stand import Shortfall
from tests.bench.table import table
from tests.shards.lanes import ended_by_signals

GROUPS: tuple[Group, ...] = tuple(
    module.GROUP
    for module in (
        board,
        commits,
        observed,
        usage,
        server,
        reads,
        token,
        events,
        prompt,
        message,
        kill,
        webhook,
        terminal,
        page,
        requests,
        proxy,
        relay,
        ssh,
        start,
        crowd,
    )
)

_EXIT = (
    "The exit code is 0 when all that was asked for was measured, also where it falls short; 1 "
    "when something could not be measured."
)
_BROKEN = (
    Shortfall,
    EnnioError,
    AssertionError,
    OSError,
    subprocess.SubprocessError,
    pytest.fail.Exception,
    pytest.skip.Exception,
)
"""What ends one group and spares the others: many minutes of measuring are
not lost for one of them.
"""


def main(words: Sequence[str]) -> int:
    """Measure what is asked for and print it; returns the exit code, of which ``_EXIT`` tells."""
    names = [name for group in GROUPS for name in group.names]
    parser = argparse.ArgumentParser(
        prog="bench", description="Measures Ennio beside its bare counterparts.", epilog=_EXIT
    )
    parser.add_argument(
        "--json",
        action="store_true",
        help="print {name: {value, unit, baseline, ratio, wanted, ok}}",
    )
    parser.add_argument(
        "--quick", action="store_true", help="fewer sessions and repetitions: within a minute"
    )
    parser.add_argument(
        "--only",
        action="append",
        metavar="NAME",
        help=f"only these, by name or beginning: {', '.join(names)}",
    )
    options = parser.parse_args(words)
    for wanted in options.only or ():
        if not any(_begins(name, wanted) for name in names):
            parser.error(f"there is no figure {wanted}; there are: {', '.join(names)}")
    missing: list[str] = []
    with ended_by_signals():  # what was started goes, however this ends
        figures = list(measured(options.only or (), missing, quick=options.quick))
    print(
        json.dumps({figure.name: figure.as_json() for figure in figures}, indent=2)
        if options.json
        else table(figures)
    )
    return 1 if missing else 0


def measured(only: Sequence[str], missing: list[str], *, quick: bool) -> Iterator[Figure]:
    """Group after group, each in a folder of its own that is gone afterwards."""

    def wants(name: str) -> bool:
        return not only or any(_begins(name, wanted) for wanted in only)

    begun = time.monotonic()

    def say(words: str) -> None:
        print(f"{time.monotonic() - begun:6.1f} s  {words}", file=sys.stderr, flush=True)

    for group in GROUPS:
        if any(map(wants, group.names)):
            place = Path(tempfile.mkdtemp(prefix="ennio-bench-"))
            try:
                for figure in group.measure(Run(place, quick, wants, say)):
                    if wants(figure.name):
                        say(" ".join(table([figure]).splitlines()[-1].split()))
                        yield figure
            except _BROKEN as reason:
                missing.append(str(reason))
                say(
                    f"NOT MEASURED: {reason or type(reason).__name__} "
                    f"({', '.join(filter(wants, group.names))})"
                )
            finally:
                shutil.rmtree(place, ignore_errors=True)


def _begins(name: str, wanted: str) -> bool:
    return name == wanted or name.startswith(f"{wanted}.")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
