"""What a dataclass says of a field that is not shown to others as it stands; everything shown
follows from the fields.

``field(metadata=INTERNAL)`` is nobody else's, ``wire("workspace")`` is shown under that name,
``SOMETIMES`` is not in every answer.
"""

from __future__ import annotations

import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from functools import cache
from types import MappingProxyType
from typing import Any

WIRE = "wire"
OPTIONAL = "optional"

INTERNAL: Mapping[str, str | None] = MappingProxyType({WIRE: None})
SOMETIMES: Mapping[str, bool] = MappingProxyType({OPTIONAL: True})


def wire(name: str) -> Mapping[str, str | None]:
    """Shown under this name."""
    return MappingProxyType({WIRE: name})


@dataclass(frozen=True, slots=True)
class WireField:
    """A field of a dataclass as others see it."""

    name: str
    wire: str
    hint: Any
    optional: bool


@cache
def wire_fields(cls: Any) -> tuple[WireField, ...]:
    """The fields of a dataclass that are shown, in their order."""
    hints = typing.get_type_hints(cls)
    return tuple(
        WireField(each.name, wire, hints[each.name], bool(each.metadata.get(OPTIONAL)))
        for each in fields(cls)
        if (wire := each.metadata.get(WIRE, each.name)) is not None
    )
