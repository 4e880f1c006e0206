"""What a dataclass says of a field that is not shown to others as it stands; everything shown follows from the fields.

``field(metadata=INTERNAL)`` is nobody else's, ``wire("workspace")`` is shown under that name, ``SOMETIMES`` is not in every answer.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

WIRE = "wire"
OPTIONAL = "optional"

INTERNAL: Mapping[str, str | None] = MappingProxyType({WIRE: None})
SOMETIMES: Mapping[str, bool] = MappingProxyType({OPTIONAL: True})


def wire(name: str) -> Mapping[str, str | None]:
    """Shown under this name."""
    return MappingProxyType({WIRE: name})
