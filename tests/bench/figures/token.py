"""``ennio status`` where the token stands in the file, over the same where one was made: a command
does not read the whole configuration for one value.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.figures.command import COMMAND, called
from tests.bench.stand import house_at
from tests.bench.timing import by_turns, took


def measure(run: Run) -> Iterator[Figure]:
    """Two houses side by side, without a session."""
    run.say("status.token ...")
    with house_at(run.root / "given") as given, house_at(run.root / "made") as made:
        with given.ground.config.open("a") as file:
            file.write("api_token: a-token-of-the-bench-alone\n")
        for house in (given, made):
            house.start()
        value, baseline = by_turns(
            run.times(5, 25),
            lambda: took(lambda: called(given, COMMAND)),
            lambda: took(lambda: called(made, COMMAND)),
        )
    yield Figure("status.token", 1000 * value, "ms", 1000 * baseline, Wanted("ratio", 1.2))


GROUP = Group(("status.token",), measure)
