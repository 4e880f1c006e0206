"""Every key says whether it is part of trust: those of the file, and the settings of the shipped plugins."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import fields

import pytest

from ennio.config import trust_keys
from ennio.config.fields import AnyField, ConfigField, ListField, MapField, MappingSchema, NestedField
from ennio.config.schema import SCHEMAS
from ennio.config.trust_keys import Trust, of_key, of_setting
from ennio.plugins.agent import command
from ennio.plugins.agent.scripted import agent as scripted
from ennio.plugins.github.settings import ACCESS
from ennio.plugins.scm.github import settings as github_forge
from ennio.plugins.scm.local import settings as local_forge
from ennio.plugins.tracker import github as github_tracker
from ennio.plugins.tracker import local as local_tracker
from ennio.plugins.tracker.linear import settings as linear

WHERE = "say in ennio/config/trust_keys.py what it lets the author of a file do, or that it is FREE"
SETTINGS: dict[tuple[str, str], Collection[str]] = {
    ("scm", "github"): (*ACCESS, *github_forge._READERS),
    ("scm", "local"): local_forge._READERS,
    ("tracker", "github"): (*ACCESS, *github_tracker._READERS),
    ("tracker", "linear"): linear._READERS,
    ("tracker", "local"): local_tracker._READERS,
    ("agent", "command"): command._KEYS,
    ("agent", "scripted"): scripted._KEYS,
}


def holds_a_shape(entry: ConfigField[object]) -> bool:
    return isinstance(entry, NestedField) or (isinstance(entry, (ListField, MapField)) and isinstance(entry.each, NestedField))


@pytest.mark.parametrize("schema", SCHEMAS, ids=lambda schema: schema.makes.__name__)
def test_every_key_of_the_file_says_whether_it_is_part_of_trust(schema: type[MappingSchema]) -> None:
    own = {key for key, _, entry in schema.entries() if not holds_a_shape(entry)}
    assert set(trust_keys.SCHEMAS.get(schema.makes.__name__, {})) == own, WHERE


def test_only_the_settings_of_plugins_are_left_to_the_plugins() -> None:
    for schema in SCHEMAS:
        for key, _, entry in schema.entries():
            free_form = isinstance(entry, MapField) and isinstance(entry.each, AnyField)
            assert (of_key(schema.makes.__name__, key) is Trust.PLUGIN) == free_form, (schema, key)


@pytest.mark.parametrize("plugin", SETTINGS, ids="-".join)
def test_every_setting_of_a_shipped_plugin_says_whether_it_is_part_of_trust(plugin: tuple[str, str]) -> None:
    assert set(trust_keys.PLUGINS[plugin]) == set(SETTINGS[plugin]), WHERE


def test_every_key_of_a_check_says_whether_it_is_part_of_trust() -> None:
    assert set(trust_keys.ITEMS["scm", "local", "checks"]) == {field.name for field in fields(local_forge.CheckCommand)}, WHERE


def test_what_nobody_has_said_anything_of_is_part_of_trust() -> None:
    assert of_key("Project", "invented") is Trust.RUNS
    assert of_key("Invented", "key") is Trust.RUNS
    assert of_setting("scm", "local", "invented") is Trust.RUNS
    assert of_setting("notifier", "somebodys", "url") is Trust.RUNS
    assert of_setting("agent", "claude-code", "mcp_config") is Trust.RUNS
