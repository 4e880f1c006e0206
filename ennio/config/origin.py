"""Where a value of the configuration was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ennio.config.expand import expand
from ennio.config.yaml_source import Where, YamlDocument

VARIABLES = {"database_url": "DATABASE_URL", "nats_url": "NATS_URL"}
"""Keys that a variable stands in for where the file leaves them out."""


@dataclass(frozen=True, slots=True)
class WrittenAt:
    """A line of the file (None: it is not in the file), and the variables that were put in."""

    line: int | None
    variables: tuple[str, ...] = ()


def origins(text: YamlDocument, environ: Mapping[str, str]) -> Mapping[Where, WrittenAt]:
    """That of everything that stands in the file, and of what stands in for it."""
    return dict(_origins(text, environ))


def _origins(text: YamlDocument, environ: Mapping[str, str]) -> Iterator[tuple[Where, WrittenAt]]:
    for where, place in text.places.items():
        written = place.written or ""
        variables = expand(written, environ).variables if "${" in written else ()
        yield where, WrittenAt(place.line, variables)
    for key, variable in VARIABLES.items():
        if not text.written((key,)) and environ.get(variable):
            yield (key,), WrittenAt(None, (variable,))
