"""Whose certificates are believed: those of the system, or of the file or
folder that a variable names.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from ennio.model.errors import Refused

VARIABLES = (
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NIX_SSL_CERT_FILE",
)
"""The first of these that is set counts."""


def tls_context(environ: Mapping[str, str]) -> ssl.SSLContext:
    """What a server's certificate is held against. Raises Refused for a variable
    that names no certificates.
    """
    name = next((each for each in VARIABLES if environ.get(each)), None)
    if name is None:
        return ssl.create_default_context()
    place = Path(environ[name]).expanduser()
    try:
        if place.is_dir():
            return ssl.create_default_context(capath=str(place))
        return ssl.create_default_context(cafile=str(place))
    except (OSError, ssl.SSLError) as error:
        raise Refused(
            f"the variable {name} names {place}, of which no certificates can be read "
            f"({error.strerror or error})"
        ) from None
