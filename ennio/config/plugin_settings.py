"""The settings of plugins: each declares what it takes, in the fields of the file's own grammar.

So whatever is wrong with them is found with everything else in the file, the JSON Schema and the
reference know them, and a plugin is made with settings that were read already.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from marshmallow import ValidationError

from ennio.config.fields import Json, MapField, SettingsSchema, faults_of
from ennio.config.model import Defaults
from ennio.config.secrets import is_secret
from ennio.config.yaml_source import Where, shown
from ennio.model.errors import ConfigError, Problem

Declaration = type[SettingsSchema] | MapField
"""A mapping with known keys, or one with names that are not known beforehand, such as flags."""
Declared = Callable[[str, str], Declaration | None]
"""What the plugin of a slot and a name declares; None: nothing, or there is no such plugin."""
Fault = tuple[Where, str]


def read(declaration: Declaration, given: Mapping[str, Any], source: str, path: str = "") -> Any:
    """What the settings mean. Raises ConfigError with everything that is wrong with them.

    ``source`` names them to people; the problems' paths begin with ``path``. A value is shown
    unless its key says that it is a secret.
    """
    try:
        return _read(declaration, given)
    except ValidationError as error:
        problems = []
        for where, message in faults_of(error.messages):
            told = message.replace("{value}", _quoted(given, where))
            problems.append(Problem(".".join(filter(None, (path, shown(where)))), told))
        raise ConfigError(source, problems) from None


def faults(data: Any, declared: Declared) -> Iterator[Fault]:
    """What is wrong with the settings of every plugin that a file chooses, by their places."""
    for where, slot, plugin, given in _chosen(data):
        declaration = declared(slot, plugin)
        if declaration is None or not isinstance(given, Mapping):
            continue  # what is no mapping at all is told by the file's own schema
        try:
            _read(declaration, given)
        except ValidationError as error:
            yield from ((where + at, message) for at, message in faults_of(error.messages))


def json_schema(declaration: Declaration) -> Json:
    """The JSON Schema of the settings."""
    return declaration.json() if isinstance(declaration, MapField) else declaration.json_schema()


def _read(declaration: Declaration, given: Mapping[str, Any]) -> Any:
    if isinstance(declaration, MapField):
        return declaration.read(given)
    return declaration().load(given)


def _quoted(given: Any, where: Where) -> str:
    if any(isinstance(step, str) and is_secret(step) for step in where):
        return "the value"
    for step in where:
        try:
            given = given[step]
        except (LookupError, TypeError):
            return "the value"
    text = str(given) if isinstance(given, (str, int, float)) else ""
    return f"`{text}`" if text and len(text) <= 80 else "the value"


def _chosen(data: Any) -> Iterator[tuple[Where, str, str, Any]]:
    """Where the settings of each plugin stand, its slot and name, and what is
    there; nothing is ``{}``.
    """
    default = _text(_of(data, "defaults"), "agent") or Defaults().agent
    for index, project in enumerate(_list(data, "projects")):
        where: Where = ("projects", index)
        given = _of(_of(project, "agent_config") or {}, "passthrough") or {}
        yield (
            (*where, "agent_config", "passthrough"),
            "agent",
            _text(project, "agent") or default,
            given,
        )
        for slot in ("tracker", "scm"):
            choice = _of(project, f"{slot}_config")
            if (name := _text(choice, "plugin")) is not None:
                yield (*where, f"{slot}_config", "config"), slot, name, _of(choice, "config") or {}
    for index, channel in enumerate(_list(data, "notifiers")):
        if (name := _text(channel, "plugin")) is not None:
            yield ("notifiers", index, "config"), "notifier", name, _of(channel, "config") or {}


def _of(data: Any, key: str) -> Any:
    return data.get(key) if isinstance(data, Mapping) else None


def _text(data: Any, key: str) -> str | None:
    found = _of(data, key)
    return found if isinstance(found, str) else None


def _list(data: Any, key: str) -> list[Any]:
    found = _of(data, key)
    return found if isinstance(found, list) else []
