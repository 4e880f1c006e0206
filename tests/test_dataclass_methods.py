"""Dataclasses whose methods wait for their first call are as right as any other."""

from __future__ import annotations

import dataclasses
import pickle
import threading
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any

import pytest

from ennio.dataclass_methods import compile_when_called

here = pytest.mark.skipif(
    not hasattr(dataclasses, "_create_fn"),
    reason="this Python compiles all methods of a class at once",
)
METHODS = ("__init__", "__repr__", "__eq__", "__hash__", "__setattr__", "__delattr__")


@pytest.fixture(params=["late", "ordinary"])
def how(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways, since the one is held against the other."""
    if request.param == "late":
        late(monkeypatch)
    return str(request.param)


def late(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = getattr(dataclasses, "_create_fn", None)
    monkeypatch.setattr(dataclasses, "_create_fn", kept, raising=False)
    if kept is None:
        monkeypatch.delattr(dataclasses, "_create_fn")
    compile_when_called()


def note() -> Any:
    @dataclass(frozen=True, slots=True)
    class Note:
        pitch: str
        length: float = 1.0
        marks: list[str] = field(default_factory=list, compare=False)

    return Note


def compiled(kind: type, name: str) -> bool:
    """Whether the method is one that the standard library has compiled."""
    method = vars(kind)[name]
    return bool(getattr(method, "__wrapped__", method).__code__.co_filename == "<string>")


def test_a_value_is_made_shown_compared_and_changed_as_any_other(how: str) -> None:
    kind = note()
    for _ in range(2):  # called for the first time, and again
        value = kind("c", marks=["loud"])
        assert (value.pitch, value.length, value.marks) == ("c", 1.0, ["loud"])
        assert repr(value).endswith("Note(pitch='c', length=1.0, marks=['loud'])")
        assert value == kind("c")
        assert kind("d") != value != "c"
        assert {value, kind("c"), kind("d")} == {kind("c"), kind("d")}
        assert replace(value, pitch="e") == kind("e")
        with pytest.raises(FrozenInstanceError, match="cannot assign to field 'pitch'"):
            value.pitch = "d"
        with pytest.raises(FrozenInstanceError, match="cannot delete field 'pitch'"):
            del value.pitch
        match value:
            case kind(pitch, 1.0):
                assert pitch == "c"
            case _:
                pytest.fail("it does not match")


def test_wrong_words_are_refused_in_the_same_words(how: str) -> None:
    kind = note()
    for _ in range(2):
        with pytest.raises(TypeError, match=r"Note.__init__\(\) missing 1 required positional"):
            kind()
        with pytest.raises(TypeError, match=r"Note.__init__\(\) got an unexpected .*'volume'"):
            kind("c", volume=1)


def test_what_is_inherited_ordered_or_checked_stays_so(how: str) -> None:
    @dataclass(slots=True, order=True)
    class Part:
        self: int
        name: str

    @dataclass(slots=True)
    class Solo(Part):
        name: str = "violin"
        given: int = field(default=0, kw_only=True)

        def __post_init__(self) -> None:
            self.given += 1

    @dataclass(slots=True)
    class Own(Part):
        def __init__(self, name: str) -> None:
            super(Own, self).__init__(7, name)

    for _ in range(2):
        assert Part(1, "a") < Part(1, "b") <= Part(1, "b") > Part(0, "z") >= Part(0, "z")
        assert (Solo(3).self, Solo(3).name, Solo(3, given=4).given) == (3, "violin", 5)
        assert (Own("bass").self, Own("bass").name) == (7, "bass")
        assert Solo(3) != Part(3, "violin")
        with pytest.raises(TypeError, match="unhashable"):
            hash(Part(1, "a"))


def test_what_is_frozen_is_filled_with_slots_and_without(how: str) -> None:
    @dataclass(frozen=True, slots=True)
    class Above:
        instance: int
        names: list[str] = field(default_factory=list)

    @dataclass(frozen=True, slots=True)
    class Below(Above):
        size: int = field(default=2, kw_only=True)
        twice: int = field(init=False, default=4)

    @dataclass(frozen=True)
    class Open(Above):
        mark: str = "m"

    for _ in range(2):
        assert (Above(1).instance, Above(1, ["a"]).names, Above(1).names) == (1, ["a"], [])
        assert Above(1).names is not Above(1).names
        made = Below(1, ["b"], size=3)
        assert (made.instance, made.names, made.size, made.twice) == (1, ["b"], 3, 4)
        assert (Below(1).size, Open(1).mark, Open(1, mark="n").mark) == (2, "m", "n")
        assert replace(made, instance=5) == Below(5, ["b"], size=3)
        for value in (Above(1), Below(1), Open(1)):
            with pytest.raises(FrozenInstanceError):
                value.instance = 2  # type: ignore[misc] # that is what is refused


@dataclass(frozen=True, slots=True)
class Kept:
    """Of a module, as pickle wants it."""

    name: str


def test_a_value_that_holds_itself_can_be_shown_and_one_of_a_module_be_kept(how: str) -> None:
    @dataclass
    class Ring:
        next: Any = None

    for _ in range(2):
        ring = Ring()
        ring.next = ring
        assert repr(ring).endswith("Ring(next=...)")
        assert pickle.loads(pickle.dumps(Kept("a"))) == Kept("a")  # noqa: S301 - ours


@here
def test_a_method_is_compiled_when_it_is_called_and_from_then_on_it_is_the_standard_librarys(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late(monkeypatch)
    kind = note()
    assert not any(compiled(kind, name) for name in METHODS)
    value = kind("c")
    assert [name for name in METHODS if compiled(kind, name)] == ["__init__"]
    assert value == kind("c")
    assert [name for name in METHODS if compiled(kind, name)] == ["__init__", "__eq__"]
    assert kind.__eq__.__qualname__.endswith("Note.__eq__")


@here
def test_what_is_frozen_goes_into_its_slots_without_a_look_at_the_class(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late(monkeypatch)
    kind = note()
    assert kind("c", 2.0).length == 2.0
    assert "__setattr__" not in kind.__init__.__code__.co_names


@here
def test_a_method_of_a_class_above_takes_its_place_there(monkeypatch: pytest.MonkeyPatch) -> None:
    late(monkeypatch)
    above = note()

    class Below(above):  # type: ignore[misc, valid-type] # made while the test runs
        __slots__ = ()

    assert Below("c").pitch == "c"
    assert compiled(above, "__init__")
    assert "__init__" not in vars(Below)


@here
def test_threads_that_call_it_first_at_once_are_all_served(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    late(monkeypatch)
    made: list[Any] = []
    for _ in range(50):
        kind, together = note(), threading.Barrier(4)

        def make(kind: Any = kind, together: threading.Barrier = together) -> None:
            together.wait(30)
            made.append(kind("c").pitch)

        threads = [threading.Thread(target=make) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert made == ["c"] * 200


def test_a_standard_library_that_makes_them_in_another_way_is_left_alone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def other(name: str, *rest: Any) -> Callable[..., Any]:
        raise AssertionError(name, rest)

    monkeypatch.setattr(dataclasses, "_create_fn", other, raising=False)
    compile_when_called()
    assert dataclasses._create_fn is other  # type: ignore[attr-defined]
    monkeypatch.delattr(dataclasses, "_create_fn")
    compile_when_called()
    assert not hasattr(dataclasses, "_create_fn")
