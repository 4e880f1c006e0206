"""What reads all sources is run by one process."""

from __future__ import annotations

from pathlib import Path

from tests.by_file import READERS, scope_of

TESTS = Path(__file__).parent


def test_who_reads_all_sources_is_named() -> None:
    readers = [
        file.stem.removeprefix("test_")
        for file in TESTS.glob("test_*.py")
        if "from tests.architecture import" in (text := file.read_text(encoding="utf-8"))
        or "from tests import architecture" in text
    ]
    assert sorted(readers) == sorted([*READERS, "by_file"])


def test_tests_of_a_file_stay_together_and_readers_too() -> None:
    assert scope_of("tests/test_names.py::test_a[x::y]") == scope_of("tests/test_incidents.py::b")
    assert scope_of("tests/store/test_names.py::test_a[x::y]") == "tests/store/test_names.py"
