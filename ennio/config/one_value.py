"""One text at the top of a configuration file, without reading all of it.

The command line needs ``api_token`` and nothing else of a file whose reading takes longer than
all that it does. Only what can be no other text in YAML is recognised: in quotes without escapes, a
variable, or a word; for everything else the file is read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ennio.config.expand import expand

_VALUE = (
    r'(?:"(?P<double>[^"\\\r\n]*)"|\'(?P<single>[^\'\r\n]*)\''
    r"|(?P<plain>[A-Za-z][A-Za-z0-9_-]{15,}|\$\{[A-Za-z0-9_]+\}))[ \t]*(?:[ \t]#[^\r\n]*)?$"
)


def top_level_text(content: bytes, key: str, environ: Mapping[str, str]) -> str | None:
    """The text under a key of the outermost mapping, its variables put in; None where only
    reading the whole file tells.
    """
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        return None
    begun = re.findall(rf"^[\"']?{re.escape(key)}\b", text, re.MULTILINE)
    found = re.search(rf"^{re.escape(key)}:[ \t]+{_VALUE}", text, re.MULTILINE)
    if len(begun) != 1 or found is None or _goes_on(text[found.end() :]):
        return None
    written = next(value for value in found.groups() if value is not None)
    if not written.isprintable():
        return None
    expansion = expand(written, environ)
    return None if expansion.faults else expansion.text


def _goes_on(rest: str) -> bool:
    """Whether what follows may belong to the value still."""
    return rest.lstrip("\r\n")[:1] in (" ", "\t")
