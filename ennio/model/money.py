"""Money: Decimal in the code, whole units of 10^-12 dollars where it is kept.

A token may cost a tenth of a millionth of a dollar, and a price may name six places of what a
million of them cost: at this unit not one of them is rounded away.
"""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal

UNIT = Decimal("1e-12")
NOTHING = Decimal(0)
_FEW = 40
_KEPT = 12
"""Places behind the point that are kept."""
_HALF_A_CENT = Decimal("0.005")
MOST = Decimal(1_000_000)
"""Dollars one request may be told to have cost; what is above is no count of money."""


def to_units(dollars: Decimal) -> int:
    """Dollars as whole units."""
    return int((dollars / UNIT).to_integral_value(ROUND_HALF_EVEN))


def from_units(units: int) -> Decimal:
    """Whole units as dollars, without zeros at the end."""
    dollars = (Decimal(units) * UNIT).normalize()
    return dollars.quantize(Decimal(1)) if dollars == dollars.to_integral_value() else dollars


def whole(dollars: Decimal) -> Decimal:
    """The same money as it will be kept."""
    return from_units(to_units(dollars))


def plain(number: Decimal) -> str:
    """A decimal as digits, ``0.000000000001`` and not ``1E-12``, as long as these are few."""
    few = number.is_finite() and -_FEW < number.adjusted() < _FEW
    return f"{number:f}" if few else str(number)


def to_the_cent(dollars: Decimal | None, unpriced: int = 0) -> str:
    """Dollars for a person; empty where nothing is said of them.

    What is not known is ``?``, alone or beside the part that is; less than a cent is no zero.
    """
    unknown = "?" if unpriced else ""
    if dollars is None or (unknown and not dollars):
        return unknown
    shown = "<$0.01" if 0 < dollars < _HALF_A_CENT else f"${dollars:.2f}"
    return f"{shown} + ?" if unknown else shown


def spoken(dollars: Decimal, places: int = 2) -> str:
    """Dollars in a sentence: to the cent, and below ten cents to two digits that say something, so
    that little is no zero. ``places``: at least so many behind the point.
    """
    if dollars and dollars.is_finite():
        places = max(places, 1 - dollars.adjusted())
    rounded = dollars.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)
    return f"${_at_least_cents(rounded)}"


def used_of(used: Decimal, limit: Decimal) -> str:
    """How much of a limit is used: ``$0.32 of $0.30``. The limit as it was given, and of what is
    used so much that it is seen on which side of the limit it is.
    """
    shown, places = spoken(used), 2
    while _compared(Decimal(shown[1:]), limit) != _compared(used, limit) and places < _KEPT:
        places += 1
        shown = spoken(used, places)
    return f"{shown} of ${_at_least_cents(limit)}"


def _compared(one: Decimal, other: Decimal) -> int:
    return (one > other) - (one < other)


def _at_least_cents(amount: Decimal) -> str:
    """All of its digits, without zeros at the end beyond the cents."""
    cents = amount.quantize(Decimal("0.01"))
    return f"{cents if cents == amount else amount.normalize():f}"
