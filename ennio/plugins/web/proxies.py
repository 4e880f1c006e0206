"""Which proxy a request goes through, by the variables that curl, git and
the agents go by too. Pure.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from ennio.model.errors import Refused
from ennio.plugins.web.address import is_loopback

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy: where it is, and ``user:password`` where it wants a login, which is never shown."""

    url: str
    login: str | None = field(default=None, repr=False)


def proxy_of(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """The proxy a request to this address goes through, or None. Raises Refused for a
    variable that cannot be used.

    ``http_proxy`` or ``https_proxy`` by the address's scheme, else ``all_proxy``; small letters
    before capital ones, and one that is set to nothing means none. This machine itself is never
    asked through a proxy, nor what ``no_proxy`` names.
    """
    parts = urlsplit(url)
    host = parts.hostname or ""
    if is_loopback(host) or _is_exempt(
        host, parts.port or _PORTS.get(parts.scheme, 0), _variable("no_proxy", environ)[1]
    ):
        return None
    for kind in (f"{parts.scheme}_proxy", "all_proxy"):
        name, value = _variable(kind, environ)
        if value is not None:
            return _parsed(name, value.strip()) if value.strip() else None
    return None


def _variable(name: str, environ: Mapping[str, str]) -> tuple[str, str | None]:
    return next(
        ((each, environ[each]) for each in (name, name.upper()) if each in environ), (name, None)
    )


def _parsed(name: str, value: str) -> Proxy:
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        host, port, parts = None, None, urlsplit("")
    if not host:
        raise Refused(f"the variable {name} is no address of a proxy: write http://HOST:PORT")
    if parts.scheme not in _PORTS:
        raise Refused(
            f"the variable {name} names a {parts.scheme} proxy; Ennio goes through http and https "
            "ones: set https_proxy too"
        )
    shown = f"[{host}]" if ":" in host else host
    login = (
        None
        if parts.username is None
        else f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    )
    return Proxy(f"{parts.scheme}://{shown}:{port or _PORTS[parts.scheme]}", login)


def _is_exempt(host: str, port: int, no_proxy: str | None) -> bool:
    return any(
        _covers(entry, host.lower().rstrip("."), port)
        for entry in re.split(r"[,\s]+", no_proxy or "")
        if entry
    )


def _covers(entry: str, host: str, port: int) -> bool:
    """Whether an entry of ``no_proxy`` names a host: itself or a domain it is in, an address or a
    network, perhaps with a port.
    """
    if entry == "*":
        return True
    name, wanted = _split(entry.lower())
    if wanted is not None and wanted != port:
        return False
    number = _network(host)
    network = _network(name)
    if number is not None or network is not None:
        return (
            number is not None
            and network is not None
            and number.version == network.version
            and number.subnet_of(network)  # type: ignore[arg-type]
        )
    domain = name.removeprefix("*").strip(".")
    return bool(domain) and (host == domain or host.endswith(f".{domain}"))


def _split(entry: str) -> tuple[str, int | None]:
    found = re.fullmatch(r"(\[[^\]]*\]|[^:]*):([0-9]{1,5})", entry)
    return (found[1], int(found[2])) if found else (entry, None)


def _network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(text.replace("[", "").replace("]", ""), strict=False)
    except ValueError:
        return None
