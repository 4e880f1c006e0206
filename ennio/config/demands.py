"""What of a configuration needs trust: what it would run, whom it would talk to,
and with which variables.

Made of the file as it is written, variables by their names, so that neither a digest nor a
question holds what is in them. What belongs together is one demand: a token and the host it goes
to, an agent and its flags. So whatever is left of a trusted file when something is taken out of it
was trusted as it stands.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ennio.config.fields import (
    AnyField,
    ConfigField,
    ListField,
    MapField,
    MappingSchema,
    NestedField,
)
from ennio.config.model import Config, Demand, NotifierConfig, PluginChoice, Project
from ennio.config.schema import ConfigSchema, ProjectSchema
from ennio.config.secrets import is_secret, veiled
from ennio.config.trust_keys import Trust, of_item, of_key, of_setting, talks
from ennio.model import repository_address
from ennio.model.isolation import IsolationKind
from ennio.model.printable import MASK

Written = Mapping[str, Any]
_RANK = (Trust.RUNS, Trust.TALKS, Trust.OPENS, Trust.REACHES, Trust.GIVES)
_APART = ("defaults", "projects", "notifiers")  # told by whom they are for
_CHOSEN = ("agent_config", "tracker_config", "scm_config")  # told with the plugin they are for
_VARIABLE = re.compile(r"(?<!\$)\$\{[A-Za-z_]\w*")


def demands(written: Written, config: Config) -> tuple[Demand, ...]:
    """Every demand of a file; ``written`` are its values before any variable was put in,
    ``config`` what was made of them.
    """
    found = [*_of_place(config), *_of_schema("", ConfigSchema, written, _APART)]
    for given, project in zip(_list(written, "projects"), config.projects, strict=True):
        found += _of_project(given, project)
    by_name = {given.get("name"): given for given in _list(written, "notifiers")}
    if (written.get("defaults") or {}).get(
        "predictor"
    ) is not None:  # it is for nobody in particular
        found.append(_demand("defaults.predictor", [Trust.RUNS], config.defaults.predictor))
    for channel in config.notifiers:
        found.append(_of_channel(by_name.get(channel.name, {}), channel))
    return tuple(found)


def _list(written: Written, key: str) -> list[Any]:
    return list(written.get(key) or ())


def _of_place(config: Config) -> Iterator[Demand]:
    """A file that is reached by a link means other things by the same relative paths."""
    own = Path(os.path.realpath(config.source)).parent
    here = Path(os.path.realpath(config.directory))
    if own != here:
        yield _demand("the folder of relative paths", [Trust.REACHES], str(here))


def _of_schema(
    where: str, schema: type[MappingSchema], written: Written, apart: Iterable[str]
) -> Iterator[Demand]:
    for key, _, entry in schema.entries():
        if key in apart or written.get(key) is None:
            continue
        kinds: list[Trust] = []
        value = _kept(schema, key, entry, written[key], ("", ""), kinds)
        if kinds and value not in ([], {}):
            yield _demand(f"{where}{key}", kinds, value)


def _of_project(written: Written, project: Project) -> Iterator[Demand]:
    """The parts of a project; what it leaves to the defaults is told as it holds."""
    where = f"projects[{project.name}]."
    settings = _chosen(ProjectSchema, "agent_config", written, ("agent", project.agent))
    settings[0].update(_walls(project))
    yield _plugin(f"{where}agent", project.agent, *settings)
    choices: tuple[tuple[str, PluginChoice | None], ...] = (
        ("tracker", project.tracker),
        ("scm", project.forge),
    )
    for slot, choice in choices:
        if choice is not None:
            settings = _chosen(ProjectSchema, f"{slot}_config", written, (slot, choice.plugin))
            yield _plugin(
                f"{where}{slot}", choice.plugin, *settings, beside=_implied(choice, project.repo)
            )
    yield from _of_schema(
        where, ProjectSchema, written, ("agent", "runtime", "workspace", *_CHOSEN)
    )
    for slot in ("runtime", "workspace"):
        yield _demand(f"{where}{slot}", [Trust.RUNS], getattr(project, slot))


def _walls(project: Project) -> dict[str, str]:
    """Behind what an agent runs: without it, or with more of a network, it is another demand."""
    if project.isolation is IsolationKind.NONE:
        return {}
    return {"isolation": f"{project.isolation}, network {project.sandbox.network}"}


def _of_channel(written: Written, channel: NotifierConfig) -> Demand:
    kinds: list[Trust] = []
    config = _settings(written.get("config") or {}, ("notifier", channel.plugin), kinds)
    return _plugin(f"notifiers[{channel.name}]", channel.plugin, config, [Trust.TALKS, *kinds])


def _chosen(
    schema: type[MappingSchema], key: str, written: Written, plugin: tuple[str, str]
) -> tuple[dict[str, Any], list[Trust]]:
    """What is kept of the settings of a plugin; its name is told apart."""
    entry = next(entry for name, _, entry in schema.entries() if name == key)
    kinds: list[Trust] = []
    rest = {name: value for name, value in (written.get(key) or {}).items() if name != "plugin"}
    value = _kept(schema, key, entry, rest, plugin, kinds) or {}
    inner = value.pop("config", None) or {}
    return value | inner, [Trust.TALKS if talks(*plugin) else Trust.RUNS, *kinds]


def _plugin(
    where: str, name: str, settings: Written, kinds: list[Trust], beside: Iterable[str] = ()
) -> Demand:
    return _demand(
        where, kinds, {"plugin": name, "settings": settings}, (name, *beside, *_words(settings))
    )


def _implied(choice: PluginChoice, repo: str) -> tuple[str, ...]:
    """Whom a plugin talks to, and with what, where its settings do not say."""
    words = []
    if choice.plugin == "github":
        host = "github.com" if repository_address.github(repo) else "the host of the repository"
        words += [] if choice.config.get("api_url") else [f"at {host}"]
        words += (
            []
            if choice.config.get("token")
            else ["with GH_TOKEN, GITHUB_TOKEN or the token of gh, if they belong to that host"]
        )
    if choice.plugin == "linear" and not choice.config.get("api_url"):
        words.append("at api.linear.app")
    return tuple(words)


def _kept(
    schema: type[MappingSchema],
    key: str,
    entry: ConfigField[Any],
    value: Any,
    plugin: tuple[str, str],
    kinds: list[Trust],
) -> Any:
    """What of a value is part of trust; what that can do is added to ``kinds``."""
    match entry:
        case NestedField(schema=inner):
            return _mapping(inner, value, plugin, kinds)
        case ListField(each=NestedField(schema=inner)):
            return [_mapping(inner, item, plugin, kinds) for item in value]
        case MapField(each=NestedField(schema=inner)):
            return {
                name: _mapping(inner, item or {}, plugin, kinds) for name, item in value.items()
            }
        case MapField(each=AnyField()):
            return _settings(value, plugin, kinds)
    kind = of_key(schema.makes.__name__, key)
    if kind is not Trust.FREE:
        kinds.append(kind)
    return None if kind is Trust.FREE else value


def _mapping(
    schema: type[MappingSchema], written: Written, plugin: tuple[str, str], kinds: list[Trust]
) -> dict[str, Any]:
    given = [(key, entry) for key, _, entry in schema.entries() if written.get(key) is not None]
    kept = {key: _kept(schema, key, entry, written[key], plugin, kinds) for key, entry in given}
    return {key: value for key, value in kept.items() if value is not None}


def _settings(written: Written, plugin: tuple[str, str], kinds: list[Trust]) -> dict[str, Any]:
    kept = {}
    for key, value in written.items():
        kind = of_setting(*plugin, key)
        if kind is not Trust.FREE and value is not None:
            kinds.append(kind)
            kept[key] = _items(value, plugin, key)
    return kept


def _items(value: Any, plugin: tuple[str, str], setting: str) -> Any:
    if not isinstance(value, list):
        return value
    return [
        {
            key: part
            for key, part in item.items()
            if of_item(*plugin, setting, key) is not Trust.FREE
        }
        if isinstance(item, dict)
        else item
        for item in value
    ]


def _demand(
    place: str, kinds: Iterable[Trust], value: Any, words: Iterable[str] | None = None
) -> Demand:
    kind = min(kinds, key=_RANK.index)
    told = tuple(_words(value, place.rpartition(".")[2]) if words is None else words)
    canonical = json.dumps([place, value], sort_keys=True, separators=(",", ":"), default=str)
    return Demand(kind.value, place, told, canonical)


def _words(value: Any, key: str = "") -> Iterator[str]:
    """A value for people, a line for each part; secrets that stand in the file are not
    repeated, variables are named.
    """
    match value:
        case Mapping():
            for name, item in value.items():
                yield from (f"{name}: {line}" for line in _words(item, str(name)))
        case list() | tuple() if key.endswith("argv"):  # the words of one command
            yield shlex.join(veiled(str(word)) for word in value)
        case list() | tuple():
            for item in value:
                yield from _words(item, key)
        case _:
            yield (
                _hidden(value)
                if is_secret(key) or key in ("passphrase", "url", "webhook", "topic")
                else veiled(str(value))
            )


def _hidden(value: Any) -> str:
    """A secret: its variables by name, of an address its host, and nothing else."""
    variables = _VARIABLE.findall(str(value))
    if variables:
        return " ".join(f"{name}}}" for name in variables)
    address = re.match(r"https?://[^/@\s]+(?=/|$)", str(value))
    return f"{address[0]}/{MASK}" if address else MASK
