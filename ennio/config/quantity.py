"""Durations and sizes as people write them: ``90``, ``500ms``, ``5m``; ``512MiB``, ``2GB``."""

from __future__ import annotations

import re
from decimal import Decimal

UNITS_OF_TIME = {
    "ms": Decimal("0.001"),
    "s": Decimal(1),
    "m": Decimal(60),
    "h": Decimal(3600),
    "d": Decimal(86400),
}
UNITS_OF_SIZE = {"B": 1} | {
    f"{letter}{suffix}": base**power
    for power, letter in enumerate("KMGT", start=1)
    for suffix, base in (("B", 1000), ("iB", 1024))
} | {"kB": 1000}  # fmt: skip
LONGEST = 10 * 365 * 86400
LARGEST = 2**50

# ASCII digits only, and few enough that no number can be made of them that takes long to compute.
_QUANTITY = re.compile(r"([0-9]{1,18}(?:\.[0-9]{1,9})?)\s*([A-Za-z]*)\Z")


def seconds(value: object, bare: str = "s") -> float:
    """The seconds meant by a number or a text; ``bare`` is the unit of one that names none.

    Raises ValueError with the words that follow the value in a message.
    """
    number, unit = _split(value, bare)
    if number is None or unit not in UNITS_OF_TIME:
        raise ValueError(
            "is not a duration: write a number with ms, s, m, h or d behind it, such as 500ms, "
            "90s or 5m"
        )
    result = float(number * UNITS_OF_TIME[unit])
    if result > LONGEST:
        raise ValueError("is longer than ten years")
    return result


def size(value: object) -> int:
    """The bytes meant by a number or a text. Raises ValueError like ``seconds``."""
    number, unit = _split(value, "B")
    if number is None or unit not in UNITS_OF_SIZE:
        raise ValueError(
            "is not a size: write a number of bytes, or with KiB, MiB, GiB, kB, MB or GB behind "
            "it, such as 512MiB"
        )
    result = int(number * UNITS_OF_SIZE[unit])
    if result > LARGEST:
        raise ValueError("is more than any machine has")
    return result


def shown_seconds(value: float) -> str:
    """A duration as one would write it, in the largest unit that divides it:
    ``5m``, ``90s``, ``1.5s``.
    """
    for unit in ("d", "h", "m"):
        if value and value % float(UNITS_OF_TIME[unit]) == 0:
            return f"{value / float(UNITS_OF_TIME[unit]):.0f}{unit}"
    return f"{value:g}s" if value == 0 or value >= 1 else f"{value * 1000:g}ms"


def shown_size(value: int) -> str:
    """A size as one would write it, in the largest binary unit that divides it."""
    for unit in ("TiB", "GiB", "MiB", "KiB"):
        if value and value % UNITS_OF_SIZE[unit] == 0:
            return f"{value // UNITS_OF_SIZE[unit]}{unit}"
    return str(value)


def _split(value: object, bare: str) -> tuple[Decimal | None, str]:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None, bare
    text = format(Decimal(repr(value)), "f") if isinstance(value, float) else str(value).strip()
    match = _QUANTITY.match(text)
    return (Decimal(match[1]), match[2] or bare) if match else (None, bare)
