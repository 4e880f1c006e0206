"""``${VAR}`` and ``${VAR:-default}`` in strings; ``$${`` stands for a literal ``${``.

``$VAR`` without braces is left alone. As in a shell, the default also stands
in for an empty variable.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_MARK = re.compile(r"\$\$\{|\$\{(?:(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::-(?P<default>[^{}]*))?\})?")


@dataclass(frozen=True, slots=True)
class Expansion:
    """A string after expansion; ``faults`` says what stood in the way, empty when nothing did.

    ``variables`` are those whose values are now in the text.
    """

    text: str
    faults: tuple[str, ...] = ()
    variables: tuple[str, ...] = ()


def expand(text: str, environ: Mapping[str, str]) -> Expansion:
    """Put the variables' values in place; values are not looked at again."""
    faults: list[str] = []
    variables: list[str] = []

    def value(match: re.Match[str]) -> str:
        if match[0] == "$${":
            return "${"
        name, default = match["name"], match["default"]
        if name is None:
            faults.append(
                "has a `${` that names no variable: write ${NAME} or ${NAME:-default}, or $${ for "
                "a literal ${"
            )
            return ""
        found = environ.get(name)
        if found:
            variables.append(name)
        if default is not None:
            return found or default
        if found is None:
            faults.append(
                f"names the variable {name}, which is not set: export {name}, or write "
                f"${{{name}:-default}}"
            )
            return ""
        return found

    expanded = _MARK.sub(value, text)
    if (
        not faults
        and not expanded.isprintable()
        and any("\ud800" <= letter <= "\udfff" for letter in expanded)
    ):
        faults.append("is not valid Unicode once its variables are put in")
    return Expansion(expanded, tuple(faults), tuple(variables))


def escaped(text: str) -> str:
    """The text written so that ``expand`` gives it back unchanged."""
    return text.replace("${", "$${")
