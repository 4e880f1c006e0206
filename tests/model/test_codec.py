"""Frozen dataclasses survive the way to JSON and back, and older JSON can still be read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal, NewType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ennio.model.clock import rfc3339
from ennio.model.codec import dumps, from_json, loads, shown, to_json
from ennio.model.facts import AgentSeen, Facts, ForgeSeen, Presence, ProcessSeen, WorkspaceSeen
from ennio.model.pulls import (
    Check,
    CheckState,
    Comment,
    Mergeability,
    PullRequest,
    PullState,
    ReviewState,
)
from ennio.model.session import Activity, SessionStatus, Usage
from ennio.model.shape import INTERNAL, wire
from ennio.policy.lifecycle.state import Desired, LifecycleState, Phase
from tests.properties import examples

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
Name = NewType("Name", str)


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


@dataclass(frozen=True, slots=True)
class Circle:
    radius: int


@dataclass(frozen=True, slots=True)
class Square:
    radius: int


@dataclass(frozen=True, slots=True)
class Shown:
    secret: str = field(metadata=INTERNAL)
    circle: Circle | None = field(metadata=wire("round"))
    more: Mapping[str, tuple[Shown, ...]]


@dataclass(frozen=True, slots=True)
class Everything:
    name: Name
    when: datetime
    day: date | None
    money: Decimal
    where: Path
    colour: Colour
    ratio: float
    on: bool
    maybe: int | None
    either: int | str
    pair: tuple[int, str]
    many: tuple[Circle, ...]
    sorted_set: frozenset[str]
    by_colour: Mapping[Colour, tuple[int, ...]]
    by_number: dict[int, str]
    best: Circle | None
    mode: Literal["fast", "slow"]
    anything: Any
    extra: Mapping[str, str] = field(default_factory=dict)


EVERYTHING = Everything(
    name=Name("n"),
    when=NOON,
    day=date(2026, 2, 28),
    money=Decimal("0.100"),
    where=Path("/a/b"),
    colour=Colour.BLUE,
    ratio=2.0,
    on=True,
    maybe=None,
    either="7",
    pair=(1, "x"),
    many=(Circle(1), Circle(2)),
    sorted_set=frozenset({"b", "a"}),
    by_colour={Colour.RED: (1, 2)},
    by_number={7: "seven"},
    best=Circle(9),
    mode="fast",
    anything={"deep": [1, None]},
)


def test_every_kind_of_field_survives_the_round_trip() -> None:
    assert loads(Everything, dumps(EVERYTHING)) == EVERYTHING


def test_text_says_what_the_plain_value_says() -> None:
    assert json.loads(dumps(EVERYTHING)) == to_json(EVERYTHING)
    assert json.loads(
        dumps((Colour.RED, {Colour.BLUE: {Path("/a")}}, frozenset({"b", "a"}), None, NOON))
    ) == [
        "red",
        {"blue": ["/a"]},
        ["a", "b"],
        None,
        rfc3339(NOON),
    ]


def test_money_keeps_its_digits_and_is_text() -> None:
    assert to_json(EVERYTHING)["money"] == "0.100"
    assert str(loads(Everything, dumps(EVERYTHING)).money) == "0.100"


def test_a_union_whose_members_are_written_alike_is_refused() -> None:
    for union in (Circle | Square, datetime | str):
        with pytest.raises(TypeError, match="cannot be read back"):
            loads(union, "{}")  # type: ignore[arg-type]


def test_what_is_shown_hides_what_is_internal_and_names_things_as_others_know_them() -> None:
    value = Shown("s3cret", Circle(1), {"at": (Shown("x", None, {}),)})
    assert shown(value) == {"round": {"radius": 1}, "more": {"at": [{"round": None, "more": {}}]}}
    assert to_json(value)["secret"] == "s3cret"
    assert loads(Shown, dumps(value)) == value


def test_unknown_keys_are_ignored_and_missing_ones_take_the_default() -> None:
    assert loads(Usage, '{"input_tokens": 3, "from_the_future": [1]}') == Usage(input_tokens=3)


def test_a_missing_key_without_default_is_named() -> None:
    with pytest.raises(ValueError, match=r"Circle\.radius: it is missing"):
        loads(Circle, "{}")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("when", "yesterday"),
        ("money", "a lot"),
        ("colour", "green"),
        ("on", 1),
        ("maybe", True),
        ("maybe", "1"),
        ("either", 1.5),
        ("pair", [1]),
        ("many", {"radius": 1}),
        ("by_colour", []),
        ("mode", "medium"),
        ("name", None),
    ],
)
def test_a_value_of_the_wrong_shape_is_refused_with_the_path_of_its_field(
    name: str, wrong: object
) -> None:
    with pytest.raises(ValueError, match=rf"^Everything\.{name}: "):
        from_json(Everything, to_json(EVERYTHING) | {name: wrong})


def test_the_path_of_a_deep_problem_is_whole() -> None:
    with pytest.raises(
        ValueError,
        match=r"Facts\.agent: AgentSeen\.usage: Usage\.cost_usd: a decimal number was expected",
    ):
        loads(
            Facts,
            '{"agent": {"at": "2026-01-01T00:00:00Z", "source": "x", "usage": {"cost_usd": '
            '"much"}}}',
        )


def test_what_has_no_json_form_is_a_bug_and_says_so() -> None:
    with pytest.raises(TypeError, match="complex has no JSON form"):
        to_json(1j)
    with pytest.raises(TypeError, match="complex has no JSON form"):
        dumps(Circle(1j))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="complex has no JSON form"):
        from_json(complex, 1)
    with pytest.raises(TypeError, match="written alike cannot be read back"):
        from_json(datetime | str, "x")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a mapping's key"):
        to_json({(1, 2): 3})


def test_times_of_any_offset_are_read_as_utc() -> None:
    assert from_json(datetime, "2026-01-01T13:00:00+01:00") == NOON
    assert from_json(datetime, "2026-01-01 12:00:00") == NOON


moments = st.datetimes(min_value=datetime(2000, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds the zone
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
usages = st.builds(Usage, cost_usd=st.none() | st.decimals(allow_nan=False, allow_infinity=False))
pulls = st.builds(
    PullRequest,
    number=st.integers(),
    url=texts,
    title=texts,
    branch=texts,
    base=texts,
    head=texts,
    state=st.sampled_from(PullState),
    mergeability=st.sampled_from(Mergeability),
    conflicts=st.lists(texts, max_size=2).map(tuple),
    checks=st.sampled_from(CheckState),
    check_runs=st.lists(
        st.builds(Check, id=texts, name=texts, state=st.sampled_from(CheckState)), max_size=2
    ).map(tuple),
    comments=st.lists(
        st.builds(
            Comment,
            id=texts,
            author=texts,
            body=texts,
            at=moments,
            decision=st.none() | st.sampled_from(ReviewState),
        ),
        max_size=2,
    ).map(tuple),
    head_since=st.none() | moments,
)
facts = st.builds(
    Facts,
    process=st.none()
    | st.builds(
        ProcessSeen,
        presence=st.sampled_from(Presence),
        at=moments,
        source=texts,
        exit_code=st.none() | st.integers(),
    ),
    agent=st.none()
    | st.builds(
        AgentSeen,
        at=moments,
        source=texts,
        activity=st.none() | st.sampled_from(Activity),
        usage=st.none() | usages,
    ),
    workspace=st.none()
    | st.builds(WorkspaceSeen, at=moments, exists=st.booleans(), head=st.none() | texts),
    forge=st.none()
    | st.builds(
        ForgeSeen,
        presence=st.sampled_from(Presence),
        at=moments,
        source=texts,
        pull=st.none() | pulls,
    ),
)


@settings(max_examples=examples(60), deadline=None)
@given(facts)
def test_any_facts_survive_the_round_trip(seen: Facts) -> None:
    assert loads(Facts, dumps(seen)) == seen
    assert json.loads(dumps(seen)) == to_json(seen)


memories = st.builds(
    LifecycleState,
    status=st.sampled_from(SessionStatus),
    status_since=moments,
    desired=st.sampled_from(Desired),
    phase=st.sampled_from(Phase),
    activity=st.none() | st.sampled_from(Activity),
    launched_at=st.none() | moments,
    restarts=st.lists(moments, max_size=3).map(tuple),
    red_heads=st.lists(texts, max_size=3).map(tuple),
    signal_lost=st.booleans(),
)


@settings(max_examples=examples(60), deadline=None)
@given(memories)
def test_any_memory_of_the_lifecycle_survives_the_round_trip(memory: LifecycleState) -> None:
    assert loads(LifecycleState, dumps(memory)) == memory
