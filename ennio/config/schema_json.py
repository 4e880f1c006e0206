"""The JSON Schema of ``ennio.yaml``, for editors; made from the same schemas that read the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ennio.config.fields import ConfigField, Json, ListField, MapField, MappingSchema, NestedField
from ennio.config.plugin_settings import Declaration
from ennio.config.plugin_settings import json_schema as of_settings
from ennio.config.schema import SCHEMAS

DIALECT = "https://json-schema.org/draft/2020-12/schema"
Plugins = Mapping[tuple[str, str], Declaration]
"""What plugins take, by slot and name."""
NONE: Plugins = MappingProxyType({})


def json_schema(plugins: Plugins = NONE) -> Json:
    """The schema as a document of its own (draft 2020-12).

    It knows each part by itself, not whether the parts fit together: ``ennio config check`` says
    that. The settings of an agent are known where its project names it.
    """
    definitions = {schema.makes.__name__: schema.json_schema() for schema in SCHEMAS}
    for (slot, name), declared in plugins.items():
        definitions[_named(slot, name)] = of_settings(declared)
        for inner in nested(declared):
            definitions[inner.makes.__name__] = inner.json_schema()
    _choose(definitions, plugins)
    root = definitions.pop("Config")
    return {"$schema": DIALECT, "title": "ennio.yaml", **root, "$defs": definitions}


def _named(slot: str, name: str) -> str:
    return f"{slot}.{name}"


def _choose(definitions: dict[str, Json], plugins: Plugins) -> None:
    """Say of a project and a notifier which settings go with which plugin."""
    project = [_rule(slot, name) for slot, name in plugins if slot in ("agent", "tracker", "scm")]
    channel = [
        _if_plugin(name, _within("config", _settings("notifier", name)))
        for slot, name in plugins
        if slot == "notifier"
    ]
    for owner, rules in (("Project", project), ("NotifierConfig", channel)):
        if rules:
            definitions[owner]["allOf"] = [*definitions[owner].get("allOf", ()), *rules]


def _rule(slot: str, name: str) -> Json:
    if slot == "agent":
        chosen = {"properties": {"agent": {"const": name}}, "required": ["agent"]}
        settings = _within("passthrough", _settings(slot, name))
        return {"if": chosen, "then": {"properties": {"agent_config": settings}}}
    return {
        "properties": {f"{slot}_config": _if_plugin(name, _within("config", _settings(slot, name)))}
    }


def _if_plugin(name: str, then: Json) -> Json:
    chosen = {"type": "object", "properties": {"plugin": {"const": name}}, "required": ["plugin"]}
    return {"if": chosen, "then": then}


def _within(key: str, schema: Json) -> Json:
    return {"properties": {key: schema}}


def _settings(slot: str, name: str) -> Json:
    return {"anyOf": [{"$ref": f"#/$defs/{_named(slot, name)}"}, {"type": "null"}]}


def nested(declared: Declaration) -> Iterator[type[MappingSchema]]:
    """The schemas within what a plugin takes."""
    entries: list[ConfigField[Any]] = (
        [declared]
        if isinstance(declared, MapField)
        else [entry for _, _, entry in declared.entries()]
    )
    for entry in entries:
        inner = entry.each if isinstance(entry, (ListField, MapField)) else entry
        if isinstance(inner, NestedField):
            yield inner.schema
