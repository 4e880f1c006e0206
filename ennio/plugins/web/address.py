"""The base of an API as somebody wrote it: whether it can be one at all. Pure."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def base_address(value: object, example: str) -> str:
    """The address, without a slash at the end. Raises ValueError with what is wrong; nothing of it
    is shown, it may hold a password.
    """
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"is no text: write {example}")
    address = value.strip().rstrip("/")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise ValueError(f"is no address ({error}): write {example}") from None
    wrong = (
        (
            parts.scheme not in ("http", "https") or not host,
            "it wants http:// or https:// and a host",
        ),
        (
            parts.username is not None or parts.password is not None,
            "a name or password is not part of it",
        ),
        (
            bool(parts.query or parts.fragment) or "?" in address or "#" in address,
            "it has no ? and no #",
        ),
        (
            any(letter.isspace() or not letter.isprintable() for letter in address),
            "it has blanks or control characters",
        ),
        (port == 0, "port 0 is none"),
        (not _is_host(host or ""), "its host is no name and no number"),
    )
    reasons = [words for holds, words in wrong if holds]
    if reasons:
        raise ValueError(f"is no address ({', '.join(reasons)}): write {example}")
    return address


def _is_host(host: str) -> bool:
    if ":" in host:
        return _number(host) is not None
    try:
        encoded = host.encode("idna").decode()
    except UnicodeError:
        return False
    return (
        bool(encoded)
        and all(part and part.strip("-_") for part in encoded.rstrip(".").split("."))
        and "%" not in host
    )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: ``localhost`` and what is below it, 127.0.0.0/8, ::1."""
    name = host.lower().rstrip(".")
    number = _number(name)
    return (
        name == "localhost"
        or name.endswith(".localhost")
        or (number is not None and number.is_loopback)
    )


def _number(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None
