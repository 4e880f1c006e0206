"""Ages, times, sizes and money as people say them."""

from __future__ import annotations

from datetime import UTC, datetime

_SPANS = ((86400, "d"), (3600, "h"), (60, "m"))
_SIZES = ("B", "KiB", "MiB", "GiB", "TiB")


def moment(text: str | None) -> datetime | None:
    """A time the API sent, or None."""
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def span(seconds: float) -> str:
    """A length of time in its largest unit: ``42s``, ``3m``, ``2h``, ``5d``; never negative."""
    whole = max(0, int(seconds))
    for size, unit in _SPANS:
        if whole >= size:
            return f"{whole // size}{unit}"
    return f"{whole}s"


def age(text: str | None, now: datetime) -> str:
    """How long ago that was, or nothing for no time."""
    then = moment(text)
    return span((now - then).total_seconds()) if then else ""


def local(text: str | None) -> str:
    """A time the API sent on the reader's own clock: ``2026-01-31 14:05:09``."""
    then = moment(text)
    return then.astimezone().strftime("%Y-%m-%d %H:%M:%S") if then else ""


def size(count: int) -> str:
    """Bytes in the unit that keeps them below 1024: ``512 B``, ``1.5 GiB``."""
    amount = float(count)
    for unit in _SIZES[:-1]:
        if amount < 1024:
            return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} {_SIZES[-1]}"


def tokens(count: int) -> str:
    """A number of tokens, short: ``950``, ``12.3k``, ``4.5M``."""
    if count < 1000:
        return str(count)
    return f"{count / 1000:.1f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def money(amount: str | None, unpriced: int = 0) -> str:
    """Dollars to the cent; the text of the API is decimal and stays so. What is not known is
    ``?``, alone or beside the part that is.
    """
    from decimal import Decimal  # noqa: PLC0415 - only where money is shown

    from ennio.model.money import to_the_cent  # noqa: PLC0415 - the same

    return to_the_cent(None if amount is None else Decimal(amount), unpriced)
