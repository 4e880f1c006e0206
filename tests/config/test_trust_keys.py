"""Every key says whether it is part of trust: those of the file, and the
settings of the shipped plugins.
"""

from __future__ import annotations

import pytest

from ennio.config import trust_keys
from ennio.config.fields import (
    AnyField,
    ConfigField,
    ListField,
    MapField,
    MappingSchema,
    NestedField,
)
from ennio.config.schema import SCHEMAS
from ennio.config.trust_keys import Trust, of_key, of_setting
from ennio.plugins.declared import shipped
from ennio.plugins.forge.local.settings import CheckSchema
from ennio.plugins.shipped import SHIPPED

WHERE = "say in ennio/config/trust_keys.py what it lets the author of a file do, or that it is FREE"
SETTINGS = {
    (slot, name): declared
    for slot, names in SHIPPED.items()
    for name in names
    if isinstance(declared := shipped(slot, name), type)
}
"""What those shipped plugins take whose settings have names known beforehand."""


def holds_a_shape(entry: ConfigField[object]) -> bool:
    return isinstance(entry, NestedField) or (
        isinstance(entry, (ListField, MapField)) and isinstance(entry.each, NestedField)
    )


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.makes.__name__)
def test_every_key_of_the_file_says_whether_it_is_part_of_trust(
    schema: type[MappingSchema],
) -> None:
    own = {key for key, _, entry in schema.entries() if not holds_a_shape(entry)}
    assert set(trust_keys.SCHEMAS.get(schema.makes.__name__, {})) == own, WHERE


def test_only_the_settings_of_plugins_are_left_to_the_plugins() -> None:
    for schema in SCHEMAS:
        for key, _, entry in schema.entries():
            free_form = isinstance(entry, MapField) and isinstance(entry.each, AnyField)
            assert (of_key(schema.makes.__name__, key) is Trust.PLUGIN) == free_form, (schema, key)


@pytest.mark.parametrize("plugin", SETTINGS, ids="-".join)
def test_every_setting_of_a_shipped_plugin_says_whether_it_is_part_of_trust(
    plugin: tuple[str, str],
) -> None:
    assert set(trust_keys.PLUGINS[plugin]) == set(SETTINGS[plugin].keys()), WHERE


def test_every_plugin_whose_settings_are_part_of_trust_declares_them() -> None:
    assert set(trust_keys.PLUGINS) == set(SETTINGS)


def test_every_key_of_a_check_says_whether_it_is_part_of_trust() -> None:
    assert set(trust_keys.ITEMS["scm", "local", "checks"]) == set(CheckSchema.keys()), WHERE


def test_what_nobody_has_said_anything_of_is_part_of_trust() -> None:
    assert of_key("Project", "invented") is Trust.RUNS
    assert of_key("Invented", "key") is Trust.RUNS
    assert of_setting("scm", "local", "invented") is Trust.RUNS
    assert of_setting("notifier", "somebodys", "url") is Trust.RUNS
    assert of_setting("agent", "claude-code", "mcp_config") is Trust.RUNS
