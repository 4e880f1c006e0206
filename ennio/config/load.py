"""``ennio.yaml`` read, expanded, checked and resolved: a ``Config``, or every problem at once."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from marshmallow import ValidationError

from ennio.config import (
    anchors,
    cross_checks,
    database,
    ownership,
    plugin_settings,
    resolve,
    yaml_source,
)
from ennio.config.cross_checks import Known
from ennio.config.demands import demands
from ennio.config.expand import expand
from ennio.config.fields import faults_of
from ennio.config.model import Config
from ennio.config.origin import origins
from ennio.config.plugin_settings import Declared
from ennio.config.schema import ConfigSchema
from ennio.config.secrets import is_secret
from ennio.config.yaml_source import Where, YamlDocument, shown
from ennio.model.errors import ConfigError, Problem

SAID_ALOUD = frozenset(
    {"post_create", "run", "passthrough", "permissions", "prompt", "agent_rules", "message"}
)
"""Keys below which a text becomes a command line, or words for an agent: those too can be on
one, and are kept and shown.
"""


def load(
    path: Path,
    environ: Mapping[str, str],
    known: Known | None = None,
    *,
    declared: Declared | None = None,
    content: bytes | None = None,
) -> Config:
    """The configuration in a file. Raises ConfigError with every problem, and Untrusted for
    a file others can write.

    ``known`` names the plugins of each slot, ``declared`` says what settings one takes;
    what is left out is not judged here. ``content`` is taken for what the file holds,
    where that was read before.
    """
    config, problems = _examined(path, environ, known, declared, content)
    if config is None:
        raise ConfigError(str(path), problems)
    return config


def check(
    path: Path,
    environ: Mapping[str, str],
    known: Known | None = None,
    declared: Declared | None = None,
) -> list[Problem]:
    """Everything wrong with a configuration file, by line; empty when ``load`` would succeed.
    Raises Untrusted as ``load`` does.
    """
    return _examined(path, environ, known, declared)[1]


def _examined(
    path: Path,
    environ: Mapping[str, str],
    known: Known | None,
    declared: Declared | None,
    content: bytes | None = None,
) -> tuple[Config | None, list[Problem]]:
    source = Path(os.path.abspath(path))
    text, problems = _read(source, content)
    if text is None or not isinstance(text.data, dict):
        return None, problems
    written = anchors.without(text.data)
    faults = _Faults(text)
    data = faults.expanded(written, (), environ)
    given = faults.shaped(data)
    base = resolve.PathBase(source, environ)
    faults.add(cross_checks.faults(data, known))
    faults.add(_places(data, base))
    faults.add(plugin_settings.faults(data, declared) if declared else ())
    if faults.problems or given is None:
        return None, sorted(faults.problems, key=lambda problem: problem.line or 0)
    config = resolve.config(given, base)
    return replace(
        config,
        hidden=frozenset(faults.hidden),
        demands=demands(written, config),
        budget_lines=tuple(
            text.line(("budgets", index)) or 0 for index in range(len(config.budgets))
        ),
        origins=origins(text, environ),
    ), []


def _read(source: Path, content: bytes | None) -> tuple[YamlDocument | None, list[Problem]]:
    try:
        raw = ownership.read(source, yaml_source.MOST_BYTES) if content is None else content
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        # what is there and cannot be read is somebody's: nobody writes over it
        writes = "`ennio init` writes one, " if isinstance(error, FileNotFoundError) else ""
        way = f"{writes}`--config FILE` names another"
        return None, [Problem("", f"the file cannot be read ({why.lower()}): {way}")]
    text = yaml_source.read(raw)
    return text, list(text.problems)


def _places(data: Mapping[str, Any], base: resolve.PathBase) -> Iterator[cross_checks.Fault]:
    """What is wrong with places outside of the file: the database, and homes of nobody."""
    written = data.get("database_url")
    if written is None or isinstance(written, str):
        try:
            database.resolved(
                resolve.database_url(written, base.environ), base.directory, base.home
            )
        except ValueError as error:
            yield (
                ("database_url",),
                f"{{value}} {error}" if written else f"(from DATABASE_URL) {error}",
            )
    nats = base.environ.get("NATS_URL")
    if not data.get("nats_url") and nats and not nats.startswith(("nats://", "tls://")):
        yield ("nats_url",), "(from NATS_URL) is not a URL that starts with nats:// or tls://"
    projects = data.get("projects")
    for index, project in enumerate(projects if isinstance(projects, list) else ()):
        path = (
            project.get("path")
            if isinstance(project, dict) and not project.get("ssh_config")
            else None
        )
        if isinstance(path, str) and base.home(path).startswith("~"):
            yield (
                ("projects", index, "path"),
                "{value} begins with ~, but that user has no home here",
            )


class _Faults:
    """The problems found so far: one for each place, the first; what lies below a
    broken place is not blamed.
    """

    def __init__(self, text: YamlDocument) -> None:
        self.text = text
        self.problems = list(text.problems)
        self.blamed = {problem.path for problem in text.problems}
        self.hidden: set[str] = set()

    def expanded(self, value: Any, where: Where, environ: Mapping[str, str]) -> Any:
        """The values with their variables put in."""
        if isinstance(value, dict):
            return {key: self.expanded(item, (*where, key), environ) for key, item in value.items()}
        if isinstance(value, list):
            return [
                self.expanded(item, (*where, index), environ) for index, item in enumerate(value)
            ]
        if not isinstance(value, str) or "${" not in value:
            return value
        expansion = expand(value, environ)
        secret = [name for name in expansion.variables if is_secret(name)]
        self.hidden.update(environ[name] for name in secret)
        self.add((where, fault) for fault in expansion.faults[:1])
        if secret and SAID_ALOUD.intersection(where):
            self.add([(where, _said_aloud(secret[0]))])
        return expansion.text

    def shaped(self, data: Any) -> Any:
        """What the schema makes of the values, or None."""
        try:
            return ConfigSchema().load(data)
        except ValidationError as error:
            self.add(faults_of(error.messages))
            return None

    def add(self, faults: Iterable[cross_checks.Fault]) -> None:
        """Blame places, each once."""
        for where, message in faults:
            if not any(shown(where[:length]) in self.blamed for length in range(1, len(where) + 1)):
                self.blamed.add(shown(where))
                self.problems.append(
                    Problem(shown(where), self._worded(where, message), self.text.line(where))
                )

    def _worded(self, where: Where, message: str) -> str:
        written = self.text.written(where)
        secret = any(isinstance(step, str) and is_secret(step) for step in where)
        quoted = (
            f"`{written}`"
            if written is not None and not secret and len(written) <= 80
            else "the value"
        )
        return message.replace("{value}", quoted)


def _said_aloud(variable: str) -> str:
    way_out = (
        f'give it to the project by `env: {{{variable}: "${{{variable}}}"}}`, and here name it '
        f"without braces: ${variable}"
    )
    return (
        f"would put the value of {variable} on a command line or among words that are kept and "
        f"shown: {way_out}"
    )
