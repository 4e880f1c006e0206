"""The kinds of text a configuration has: ids, branches, addresses, paths,
URLs, words to choose from.

Where a text is restricted, its JSON Schema lets one with a ``${`` pass: what it
becomes is not known there.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path, PurePosixPath
from typing import Any, Generic, TypeVar
from urllib.parse import urlsplit

from marshmallow import ValidationError

from ennio.config.fields import ConfigField, Json, hint
from ennio.model import repository_address
from ennio.model.branch import wrong_with
from ennio.model.session import ID_PATTERN
from ennio.model.subjects import CATEGORIES

E = TypeVar("E", bound=StrEnum)
VARIABLE: Json = {"type": "string", "pattern": r"\$\{"}
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_BREAK = re.compile(r"[\t\n]")


class StringField(ConfigField[Any]):
    """A text, not blank. ``lines`` allows more than one line."""

    def __init__(
        self,
        about: str,
        *,
        lines: bool = False,
        key: str | None = None,
        required: bool | str = False,
        none: bool = False,
        shown: str | None = None,
    ) -> None:
        super().__init__(about, key=key, required=required, none=none, shown=shown)
        self.lines = lines

    def read(self, value: Any) -> Any:
        """The text, or what it means."""
        return self.judged(self.text(value))

    def text(self, value: Any) -> str:
        """The value when it is a text that could stand here. Raises ValidationError."""
        if not isinstance(value, str):
            raise ValidationError(no_text(value))
        if not value.strip():
            raise ValidationError("is blank: give it a value or remove the line")
        if _CONTROL.search(value) or (not self.lines and _BREAK.search(value)):
            raise ValidationError(
                "holds a control character or a line break: it must be one line of text"
            )
        return value

    def judged(self, text: str) -> Any:
        """The text, or what it means. Raises ValidationError when it does not fit."""
        return text

    def json(self) -> Json:
        """A text with something in it."""
        return {"type": "string", "pattern": r"\S"}


def no_text(value: Any) -> str:
    """What YAML takes a value for that was to be a text; ``{value}`` stands for what was written.

    >>> no_text(5)
    '{value} is a number to YAML: write it in quotes'
    """
    if isinstance(value, bool):
        return "{value} is a yes or no to YAML: write it in quotes"
    if isinstance(value, (int, float)):
        return "{value} is a number to YAML: write it in quotes"
    return f"is not a text but a {'list' if isinstance(value, list) else 'mapping'}"


class WordField(StringField):
    """A text without the blanks around it."""

    def judged(self, text: str) -> str:
        """The text without them."""
        return text.strip()


class WordsField(ConfigField[tuple[str, ...]]):
    """A list of texts; a single one stands for itself."""

    kind = "text, or list of texts"

    def read(self, value: Any) -> tuple[str, ...]:
        """The texts, without the blanks around them."""
        given = [value] if isinstance(value, str) else value
        if not isinstance(given, (list, tuple)):
            raise ValidationError("{value} is not a list of texts")
        found, errors = [], {}
        for index, item in enumerate(given):
            try:
                found.append(WordField("").read(item))
            except ValidationError as error:
                errors[index] = error.messages
        if errors:
            raise ValidationError(errors)
        return tuple(found)

    def json(self) -> Json:
        """A text, or an array of them."""
        text = WordField("").json()
        return {"anyOf": [text, {"type": "array", "items": text}]}


class SlugField(StringField):
    """A name that may stand in file names, branches and subjects: letters,
    digits, ``_`` and ``-``.
    """

    def __init__(
        self, about: str, *, longest: int = 128, key: str | None = None, shown: str | None = None
    ) -> None:
        super().__init__(about, key=key, shown=shown)
        self.longest = longest

    def judged(self, text: str) -> str:
        """The id when it is one."""
        if not ID_PATTERN.match(text) or len(text) > self.longest:
            raise ValidationError(
                f"{{value}} is not an id: 1 to {self.longest} letters, digits, `_` or `-`"
            )
        return text

    def json(self) -> Json:
        """The pattern of ids, or a variable."""
        return {"type": "string", "pattern": rf"^[A-Za-z0-9_-]{{1,{self.longest}}}$|\$\{{"}


class InstanceField(SlugField):
    """The name of an instance, which stands in subjects where a category could."""

    def judged(self, text: str) -> str:
        """The name when it is no category."""
        if text in CATEGORIES:
            raise ValidationError("{value} is a part of subjects already: choose another name")
        return super().judged(text)


class BranchField(StringField):
    """The name of a branch as git would accept it."""

    def judged(self, text: str) -> str:
        """The name when git would take it."""
        if (wrong := wrong_with(text)) is not None:
            raise ValidationError(f"{{value}} is not a branch name git accepts: {wrong}")
        return text


class BranchPatternField(StringField):
    """The name of a branch, or a pattern for several."""

    def judged(self, text: str) -> str:
        """The pattern when branches could match it."""
        if text.startswith(("refs/", "origin/")):
            raise ValidationError(
                "{value} is how git names a branch from elsewhere: write what follows after it"
            )
        if not text.strip("*?/"):
            raise ValidationError(
                "{value} protects every branch, so that no session could work: write for example "
                "release/*"
            )
        if (wrong := wrong_with(text.replace("*", "x").replace("?", "x"))) is not None:
            raise ValidationError(
                f"{{value}} matches no branch name git accepts ({wrong}): write a name, or a "
                "pattern like release/*"
            )
        return text


class RepositoryField(StringField):
    """Where a repository is cloned from."""

    def judged(self, text: str) -> str:
        """The address when git could clone from it."""
        if not repository_address.is_address(text):
            raise ValidationError(
                "{value} is neither a URL (https://, ssh://, git@host:owner/name) nor a path (/…, "
                "~/…, ./…, ../…)"
            )
        if repository_address.has_password(text):
            raise ValidationError(
                "carries a password, which git would show to everybody on its command lines: "
                "leave it out and let a credential helper "
                "of git keep it (`git config --global credential.helper store`, `gh auth "
                "setup-git`), or use ssh"
            )
        return text


class PathField(StringField):
    """A path; ``~`` and relative ones are resolved by whoever knows against what."""

    kind = "path"

    def judged(self, text: str) -> Path:
        """The path as it is written."""
        return Path(text)

    def default(self, value: Any) -> Any:
        """Its text."""
        return str(value)


class InsidePathField(PathField):
    """A relative path that stays inside of the workspace, and out of its ``.git``."""

    def judged(self, text: str) -> Path:
        """The path when it stays inside."""
        path = PurePosixPath(text)
        inside = [part for part in path.parts if part != "."]
        if path.is_absolute() or text.startswith("~") or ".." in inside or not inside:
            raise ValidationError(
                "{value} leaves the workspace: write a path below its root, such as .env"
            )
        if inside[0].lower() == ".git":
            raise ValidationError("{value} lies in the workspace's .git: git alone writes there")
        return Path(*inside)

    def json(self) -> Json:
        """Neither absolute nor climbing."""
        return {"type": "string", "pattern": r"^(?![/~])(?!(.*/)?\.\.(/|$)).*\S"}


class UrlField(StringField):
    """A URL with one of the schemes; with ``origin`` nothing may stand behind its host and port."""

    def __init__(self, about: str, *schemes: str, origin: bool = False, none: bool = False) -> None:
        super().__init__(about, none=none)
        self.schemes = schemes
        self.origin = origin

    def judged(self, text: str) -> str:
        """The URL when it has a scheme that fits and a host."""
        wanted = " or ".join(f"{scheme}://" for scheme in self.schemes)
        try:
            parts = urlsplit(text)
            fits = (
                parts.scheme in self.schemes
                and parts.hostname
                and (parts.port is None or parts.port > 0)
            )
        except ValueError:
            fits = False
        if not fits or " " in text:
            raise ValidationError(
                f"{{value}} is not a URL that starts with {wanted} and names a host"
            )
        if self.origin and (parts.path or parts.query or parts.fragment or "@" in parts.netloc):
            raise ValidationError(
                "{value} is more than an origin: write only scheme, host and port, such as "
                "http://localhost:3000"
            )
        return text

    def json(self) -> Json:
        """The schemes, or a variable."""
        return {"type": "string", "pattern": rf"^({'|'.join(self.schemes)})://\S|\$\{{"}


class TokenField(StringField):
    """A secret that travels in a header: printable, without spaces."""

    def judged(self, text: str) -> str:
        """The token when a header can carry it."""
        if not (text.isascii() and text.isprintable()) or " " in text:
            raise ValidationError("holds a space or a character no HTTP header can carry")
        return text


class EnumField(ConfigField[E], Generic[E]):
    """One of the words of an enum."""

    def __init__(
        self, about: str, words: type[E], *, required: bool = False, shown: str | None = None
    ) -> None:
        super().__init__(about, required=required, shown=shown)
        self.words = words

    @property
    def kind(self) -> str:  # type: ignore[override]
        """The words."""
        return " or ".join(f"`{word}`" for word in self._values())

    def _values(self) -> Sequence[str]:
        return [word.value for word in self.words]

    def read(self, value: Any) -> E:
        """The word of the enum."""
        if not isinstance(value, str) or value not in self._values():
            raise ValidationError(
                f"{{value}} is none of {', '.join(self._values())}{self._hint(value)}"
            )
        return self.words(value)

    def _hint(self, value: Any) -> str:
        found = hint(value, self._values()) if isinstance(value, str) else ""
        return f": {found}" if found.startswith("did") else ""

    def json(self) -> Json:
        """The words, or a variable."""
        return {"anyOf": [{"enum": list(self._values())}, VARIABLE]}


class VariableField(StringField):
    """The value of an environment variable: text, or a whole number taken as text."""

    def text(self, value: Any) -> str:
        """The value as the variable's text; it may be blank."""
        if isinstance(value, int) and not isinstance(value, bool):
            return str(value)
        if not isinstance(value, str):
            raise ValidationError(no_text(value))
        if "\x00" in value:
            raise ValidationError("holds a NUL character, which no environment variable can")
        return value

    def json(self) -> Json:
        """A text or an integer."""
        return {"type": ["string", "integer"]}


class VariableNameField(StringField):
    """The name of an environment variable that is not Ennio's own."""

    def judged(self, text: str) -> str:
        """The name when a shell could use it."""
        if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", text, re.ASCII):
            raise ValidationError(
                "is not a name of an environment variable: letters, digits and `_`"
            )
        if text.startswith("ENNIO_"):
            raise ValidationError("begins with ENNIO_, which Ennio keeps for its own variables")
        return text

    def json(self) -> Json:
        """The pattern of names."""
        return {"type": "string", "pattern": "^(?!ENNIO_)[A-Za-z_][A-Za-z0-9_]*$"}
