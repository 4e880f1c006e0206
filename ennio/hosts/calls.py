"""The calls of ``Host`` as data: what is asked, what is answered and what is raised, each as JSON.

The shapes follow from the annotations of ``Host`` alone: a method that is added there can be called
from elsewhere, and one whose arguments or answer are no data cannot be declared at all. A call
whose caller has gone is done to its end all the same: who asks again finds it done.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import logging
import typing
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from enum import Enum
from types import MappingProxyType
from typing import Any

from ennio.hosts.interface import Host
from ennio.model import errors
from ennio.model.codec import Reader, from_json, reader, to_json
from ennio.model.errors import ConfigError, EnnioError, Invalid, Problem, Unreachable, run_out

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class HostCall:
    """One method of ``Host``: its signature, and what reads its arguments and its answer."""

    name: str
    signature: inspect.Signature
    arguments: Mapping[str, Reader]
    answer: Reader

    def request(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The call as JSON."""
        given = self.signature.bind(None, *args, **kwargs).arguments
        return {
            "call": self.name,
            "with": {name: to_json(given[name]) for name in given if name != "self"},
        }

    def on(self, host: Host, given: Mapping[str, Any]) -> dict[str, Any]:
        """Do it, and its answer as JSON, or what it raised. Raises nothing but
        faults of the program itself.
        """
        try:
            return {"answer": to_json(self._done(host, given))}
        except EnnioError as error:
            return {"error": to_json(HostError.of(error))}
        except OSError as error:
            exhausted = run_out(error)
            if exhausted is None:
                raise
            return {"error": to_json(HostError.of(exhausted))}

    def _done(self, host: Host, given: Mapping[str, Any]) -> Any:
        try:
            arguments = {name: self.arguments[name](value) for name, value in given.items()}
            bound = self.signature.bind(host, **arguments)
        except (KeyError, TypeError, ValueError) as error:
            raise Invalid(
                f"{self.name}: the arguments are not those of this version of Ennio: {error}"
            ) from error
        return getattr(host, self.name)(*bound.args[1:], **bound.kwargs)


@dataclass(frozen=True, slots=True)
class HostError:
    """An error on its way: its class by name, its words, and what else some of them carry."""

    kind: str
    words: str
    until: datetime | None = None
    source: str = ""
    problems: tuple[Problem, ...] = ()

    @classmethod
    def of(cls, error: EnnioError) -> HostError:
        """The error as data; one of a plugin's own counts as the nearest that everybody knows."""
        kind = next(
            base.__name__ for base in type(error).__mro__ if KINDS.get(base.__name__) is base
        )
        if isinstance(error, ConfigError):
            return cls(kind, str(error), source=error.source, problems=error.problems)
        return cls(kind, str(error), error.until if isinstance(error, Unreachable) else None)

    @property
    def error(self) -> EnnioError:
        """The same as it was raised; one of a later version says nothing that is known here."""
        kind = KINDS.get(self.kind)
        if kind is None:
            return Unreachable(f"{self.kind}: {self.words}")
        if issubclass(kind, ConfigError):
            return kind(self.source, self.problems)
        return (
            kind(self.words, until=self.until)
            if issubclass(kind, Unreachable)
            else kind(self.words)
        )


def answered(call: HostCall, told: Mapping[str, Any]) -> Any:
    """What a call answered. Raises what it raised, and ValueError for what is no answer to it."""
    if "error" in told:
        raise from_json(HostError, told["error"]).error
    if "answer" not in told:
        raise ValueError(f"neither an answer nor an error: {', '.join(told)}")
    return call.answer(told["answer"])


def done(host: Host, request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what is asked of a host, as data; its answer, or what it raised. Raises nothing."""
    call, given = CALLS.get(str(request.get("call"))), request.get("with")
    if call is None or not isinstance(given, dict):
        unknown = f"this version of Ennio knows no call {request.get('call')!r}"
        return {"error": to_json(HostError.of(Invalid(unknown)))}
    try:
        return call.on(host, given)
    except Exception as error:
        log.exception("a call failed", extra={"call": call.name})
        words = f"{call.name} failed: {type(error).__name__}: {error}"
        return {"error": to_json(HostError.of(Unreachable(words)))}


def packed(message: Mapping[str, Any]) -> bytes:
    """A call, or what it answered, as bytes."""
    # not as UTF-8: names of files need not be text, and survive only as escapes
    return json.dumps(message, separators=(",", ":")).encode()


def unpacked(content: bytes) -> dict[str, Any]:
    """The message. Raises ValueError for what is none."""
    try:
        message = json.loads(content)
    except RecursionError as error:
        raise ValueError(str(error)) from error
    if not isinstance(message, dict):
        raise ValueError("a message is an object")  # noqa: TRY004 - it is of another kind of text
    return message


def _call(name: str, method: Any) -> HostCall:
    hints = typing.get_type_hints(method)
    answer = hints.pop("return")
    return HostCall(
        name,
        inspect.signature(method),
        {key: reader(hint) for key, hint in hints.items()},
        reader(_hashable(answer)),
    )


def _hashable(hint: Any) -> Hashable:
    return typing.cast("Hashable", hint)


def _digest() -> str:
    """What changes with every name and type of the interface, down to the fields of what is
    given and answered.
    """
    seen: dict[str, str] = {}
    for name in CALLS:
        method = getattr(Host, name)
        taken = inspect.signature(method)
        seen[name] = " ".join(
            f"{one.name}:{one.annotation}:{one.kind.name}:{one.default!r}"
            for one in taken.parameters.values()
        )
        seen[name] += f" -> {taken.return_annotation}"
        for hint in typing.get_type_hints(method).values():
            seen.update(_shapes(hint, seen))
    words = "\n".join(f"{name}: {seen[name]}" for name in sorted(seen))
    return hashlib.sha256(words.encode()).hexdigest()[:16]


def _shapes(hint: Any, seen: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The dataclasses and choices in an annotation, in words, and those in them."""
    for inner in typing.get_args(hint):
        yield from _shapes(inner, seen)
    if not isinstance(hint, type) or (name := f"{hint.__module__}.{hint.__qualname__}") in seen:
        return
    if issubclass(hint, Enum):
        yield name, " ".join(f"{member.name}={member.value}" for member in hint)
    elif is_dataclass(hint):
        yield name, " ".join(f"{field.name}:{field.type}" for field in fields(hint))
        for inner in typing.get_type_hints(hint).values():
            yield from _shapes(inner, {**seen, name: ""})


KINDS: Mapping[str, type[EnnioError]] = MappingProxyType(
    {
        name: kind
        for name, kind in vars(errors).items()
        if isinstance(kind, type) and issubclass(kind, EnnioError)
    }
)
CALLS: Mapping[str, HostCall] = MappingProxyType(
    {
        name: _call(name, method)
        for name, method in inspect.getmembers(Host, inspect.isfunction)
        if not name.startswith("_")
    }
)
"""Every method of ``Host``, by name."""
INTERFACE = _digest()
"""Two that have the same one understand each other, whichever versions they are of."""
