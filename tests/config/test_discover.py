"""Where the configuration file is looked for."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ennio.config.discover import NAMES, find
from ennio.model.errors import NotFound


def test_the_file_is_found_walking_up(tmp_path: Path) -> None:
    (tmp_path / "ennio.yaml").touch()
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    assert find(below) == tmp_path / "ennio.yaml"


@pytest.mark.parametrize("name", NAMES)
def test_each_of_the_four_names_is_found(tmp_path: Path, name: str) -> None:
    (tmp_path / name).touch()
    assert find(tmp_path) == tmp_path / name


def test_the_nearest_folder_wins_and_in_it_the_first_name(tmp_path: Path) -> None:
    inner = tmp_path / "inner"
    inner.mkdir()
    for path in (tmp_path / "ennio.yaml", inner / ".ennio.yml", inner / "ennio.yml"):
        path.touch()
    assert find(inner) == inner / "ennio.yml"


def test_a_folder_of_that_name_is_not_the_file(tmp_path: Path) -> None:
    (tmp_path / "ennio.yaml").touch()
    (tmp_path / "inner" / "ennio.yaml").mkdir(parents=True)
    assert find(tmp_path / "inner") == tmp_path / "ennio.yaml"


def test_a_file_that_is_named_wins_and_its_folder_will_do(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (tmp_path / "ennio.yaml").touch()
    (other / ".ennio.yaml").touch()
    assert find(tmp_path, Path("other/../other/.ennio.yaml")) == other / ".ennio.yaml"
    assert find(tmp_path, other) == other / ".ennio.yaml"


def test_a_folder_in_the_place_of_the_file_is_named_where_there_is_no_file(tmp_path: Path) -> None:
    place = tmp_path / "ennio.yaml"
    place.mkdir()
    for start, explicit in ((tmp_path, None), (tmp_path / "inner", None), (tmp_path, tmp_path)):
        with pytest.raises(NotFound) as told:
            find(start, explicit)
        assert f"({place} is a folder: move it away)" in str(told.value)


def test_nothing_found_names_the_way_out(tmp_path: Path) -> None:
    for explicit in (None, Path("no.yaml"), tmp_path):
        with pytest.raises(NotFound, match="ennio init"):
            find(tmp_path, explicit)


@pytest.mark.real
def test_finding_the_file_imports_nothing_heavy() -> None:
    heavy = {"yaml", "marshmallow", "json", "typing", "dataclasses", "inspect"}
    code = f"import sys, ennio.config.discover; print(sorted({heavy} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=30, check=True
    )
    assert told.stdout.strip() == "[]"
