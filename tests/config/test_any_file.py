"""Whatever a file holds, it is a configuration or an error its author can act on."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import jsonschema
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ennio.config import yaml_source
from ennio.config.load import check, load
from ennio.config.model import Config
from ennio.config.schema import ConfigSchema
from ennio.config.schema_json import json_schema
from ennio.model.errors import ConfigError
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON
from tests.properties import examples

VALIDATOR = jsonschema.Draft202012Validator(json_schema())
KEYS = sorted(
    {*ConfigSchema.keys()}
    | {"name", "repo", "path", "ssh_config", "auth", "type", "agent", "nonsense"}
)
LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.dates(), st.binary(max_size=4),
    st.sampled_from(["${X}", "${GONE}", "app", "./x", "git@github.com:a/b", "key", "~", "~/x", "sqlite:", "a\x00b", "-x", "2s", "global"]),
)  # fmt: skip
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.one_of(st.sampled_from(KEYS), st.text(max_size=4)), inner, max_size=5),
    ),
    max_leaves=25,
)


def _loads_or_tells(path: Path) -> None:
    try:
        assert isinstance(load(path, dict(ENVIRON) | {"X": "x"}, SHIPPED), Config)
    except ConfigError as error:
        assert error.problems  # noqa: PT017 - both outcomes are right


@settings(
    max_examples=examples(150),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(st.dictionaries(st.sampled_from(KEYS), TREES, max_size=6))
def test_any_yaml_document_gives_a_configuration_or_a_config_error(
    tmp_path: Path, tree: dict[str, object]
) -> None:
    path = tmp_path / "ennio.yaml"
    path.write_text(
        yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8", errors="surrogatepass"
    )
    _loads_or_tells(path)


FULL = (
    Path(__file__, "../../../examples/full.yaml")
    .resolve()
    .read_text(encoding="utf-8")
    .splitlines(keepends=True)
)


@settings(
    max_examples=examples(100),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    st.lists(
        st.tuples(
            st.integers(0, len(FULL) - 1),
            st.sampled_from(["drop", "twice", "dedent", "blank", "list"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_any_damage_to_a_good_file_gives_a_configuration_or_a_config_error(
    tmp_path: Path, damage: list[tuple[int, str]]
) -> None:
    lines = list(FULL)
    for at, how in damage:
        line = lines[at]
        lines[at] = {
            "drop": "",
            "twice": line * 2,
            "dedent": line.lstrip(),
            "blank": line.split(":")[0] + ":\n",
            "list": f"- {line}",
        }[how]
    path = tmp_path / "ennio.yaml"
    path.write_text("".join(lines), encoding="utf-8")
    _loads_or_tells(path)


WHOLE = yaml.safe_load("".join(FULL)) | {
    "budgets": [{"scope": "project", "id": "backend", "limit_usd": 5}],
    "poll": {"forge": 5},
    "cleanup": {"done_after": "1d"},
}


def _places(tree: object, where: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    inner = (
        tree.items()
        if isinstance(tree, dict)
        else enumerate(tree)
        if isinstance(tree, list)
        else ()
    )
    return [where, *(place for key, item in inner for place in _places(item, (*where, key)))]


CHANGES = st.lists(st.tuples(st.sampled_from(_places(WHOLE)[1:]), TREES), min_size=1, max_size=3)


def _changed(changes: list[tuple[Any, object]]) -> object:
    """The whole file with other values in some places, as far as those places are still there."""
    tree = deepcopy(WHOLE)
    for where, value in changes:
        owner: Any = tree
        for step in where[:-1]:
            owner = owner[step] if _has(owner, step) else None
        if _has(owner, where[-1]):
            owner[where[-1]] = value
    return tree


def _has(owner: object, step: str | int) -> bool:
    return (
        step in owner
        if isinstance(owner, dict)
        else isinstance(owner, list) and isinstance(step, int) and step < len(owner)
    )


@settings(
    max_examples=examples(200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(CHANGES)
def test_any_value_in_any_place_gives_a_configuration_or_a_config_error(
    tmp_path: Path, changes: list[tuple[Any, object]]
) -> None:
    path = tmp_path / "ennio.yaml"
    path.write_text(
        yaml.safe_dump(_changed(changes), allow_unicode=True),
        encoding="utf-8",
        errors="surrogatepass",
    )
    _loads_or_tells(path)


@settings(
    max_examples=examples(200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(CHANGES)
def test_whatever_loads_is_valid_for_the_editor_too(
    tmp_path: Path, changes: list[tuple[Any, object]]
) -> None:
    tree = _changed(changes)
    path = tmp_path / "ennio.yaml"
    path.write_text(
        yaml.safe_dump(tree, allow_unicode=True), encoding="utf-8", errors="surrogatepass"
    )
    if not check(path, dict(ENVIRON) | {"X": "x"}):
        VALIDATOR.validate(yaml_source.read(path.read_bytes()).data)
