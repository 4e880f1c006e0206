"""Pasts to foretell from."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from ennio.model.forecast import FinishedTask, TaskKind, TaskSize

KIND = TaskKind("shop", "claude-code", "opus", TaskSize.SMALL)


def task(number: int, kind: TaskKind = KIND, **changes: Any) -> FinishedTask:
    """A session that took a minute, a thousand tokens and a dollar for each of its number."""
    known = {
        "succeeded": True,
        "seconds": 60 * number,
        "tokens": 1000 * number,
        "cost_usd": Decimal(number),
        "silence": number,
    }
    return FinishedTask(kind, **(known | changes))


def past(many: int, kind: TaskKind = KIND, **changes: Any) -> list[FinishedTask]:
    """So many of them, numbered from one."""
    return [task(number, kind, **changes) for number in range(1, many + 1)]


MONEY = st.decimals(0, 10_000, places=4)
kinds = st.builds(
    TaskKind,
    st.sampled_from(["shop", "docs"]),
    st.sampled_from(["claude-code", "codex"]),
    st.sampled_from([None, "opus", "gpt"]),
    st.sampled_from([None, *TaskSize]),
)
tasks = st.builds(
    FinishedTask,
    kinds,
    st.booleans(),
    st.integers(0, 10**6),
    st.none() | st.integers(0, 10**9),
    st.none() | MONEY,
    st.none() | st.integers(0, 10**6),
)
