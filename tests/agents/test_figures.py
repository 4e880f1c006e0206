"""The figures over all that was played with an agent."""

from __future__ import annotations

from tests.agents.figures import Figures, in_all, table


def test_each_sample_counts_once_in_all() -> None:
    played = [
        Figures("a", "day", 100, 1.0, 1.0, 10, 1, whole=True),
        Figures("a", "clear", 50, 0.5, 4.0, 5, 1),
        Figures("a", "all scenes", 300, 0.98, 4.0, 30, 3, whole=True),
        Figures("b", "day", 10, 1.0, 0.5, 1, 1, whole=True),
    ]
    found = [(one.agent, one.samples, round(one.share, 4), one.longest) for one in in_all(played)]
    assert found == [("a", 400, 0.985, 4.0), ("b", 10, 1.0, 0.5)]
    assert "98.5%" in table(in_all(played))
