"""What is said when all is over: what failed, in its own words, what was skipped, the figures, the
slowest, and one line that counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

from tests.shards.lanes import Run, told
from tests.shards.record import Result

SLOWEST = 15
LAST = 80  # lines of a log that has no section of failures

_PROGRESS = re.compile(r"[.FEsxX]*( *\[ *\d+%\])?")
_SECTION = re.compile(r"=+ (.+) =+")
_FAILURES = re.compile(r"=+ (ERRORS|FAILURES) =+")
_SUMMARY = re.compile(r"=+ (short test summary info) =+")
_PYTESTS_OWN = re.compile(r"ERRORS|FAILURES|warnings summary|short test summary info|slowest .*")
_TOTAL = re.compile(r"(\d+ \w+, )*\d+ \w+ in .*")

Print = Callable[[str], None]


def account(runs: Sequence[Run], further: str, show: Print) -> int:
    """Show everything, and when something failed where to read further; the exit code.

    What went wrong beyond tests that failed counts as one more failure each. The last line is
    the one that is counted by.
    """
    results = [result for run in runs for result in run.record.results]
    for heading, lines in (
        ("what the tests tell", _figures(runs)),
        ("skipped", _skipped(results)),
        (f"slowest {SLOWEST}", _slowest(results)),
        ("shards", map(told, runs)),
    ):
        _section(heading, list(lines), show)
    for run in runs:
        if not run.good:
            _section(told(run), excerpt(run.words), show)
    count = Counter(result.outcome for result in results)
    failed = count["failed"] + sum(bool(run.trouble) for run in runs)
    show(f"\n{further}" if failed else "")
    show(f"{count['passed']} passed, {failed} failed, {count['skipped']} skipped")
    return 1 if failed else 0


def _section(heading: str, lines: Sequence[str], show: Print) -> None:
    if lines:
        show(f"\n=== {heading} ===")
        for line in lines:
            show(line)


def excerpt(log: str) -> list[str]:
    """The failures of a log as pytest tells them; without any, its last lines."""
    lines = log.splitlines()
    begin = next((at for at, line in enumerate(lines) if _FAILURES.fullmatch(line)), None)
    if begin is None:
        return lines[-LAST:]
    end = next(
        (at for at, line in enumerate(lines) if at > begin and _SUMMARY.fullmatch(line)), len(lines)
    )
    return lines[begin:end]


def _figures(runs: Sequence[Run]) -> Iterator[str]:
    """What tests that passed printed, and what they wrote past pytest."""
    for run in runs:
        if run.job.tests:
            yield from (f"  {run.job.name}: {line.strip()}" for line in _spoken(run.words))
            for result in run.record.results:
                if result.outcome == "passed" and result.told.strip():
                    yield f"  {result.test}"
                    yield from (f"    {line}" for line in result.told.strip().splitlines())


def _spoken(log: str) -> Iterator[str]:
    """The lines of a log that are not pytest's own; a conftest may add a section to the end."""
    pytests_own = False
    for line in log.splitlines():
        if section := _SECTION.fullmatch(line):
            pytests_own = _PYTESTS_OWN.fullmatch(section[1]) is not None
        if not (pytests_own or _PROGRESS.fullmatch(line) or _TOTAL.fullmatch(line)):
            yield line


def _skipped(results: Sequence[Result]) -> Iterator[str]:
    reasons = Counter(
        result.why.removeprefix("Skipped: ") for result in results if result.outcome == "skipped"
    )
    yield from (f"  {count} x {reason}" for reason, count in reasons.most_common())


def _slowest(results: Sequence[Result]) -> Iterator[str]:
    for result in sorted(results, key=lambda result: -result.seconds)[:SLOWEST]:
        yield f"  {result.seconds:7.2f} s  {result.test}"
