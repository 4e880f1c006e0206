"""Errors of ours as status codes of gRPC, and back."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import grpc

from ennio.model.errors import (
    ConfigError,
    Conflict,
    EnnioError,
    Exhausted,
    Invalid,
    NotFound,
    Refused,
    TimedOut,
    Unauthorized,
    Unreachable,
)

Code = grpc.StatusCode


class Forbidden(Refused):
    """What was named lies where nobody may reach from elsewhere."""

    http_status = 403


CODES: Mapping[type[EnnioError], Any] = MappingProxyType(
    {
        TimedOut: Code.DEADLINE_EXCEEDED,
        Exhausted: Code.RESOURCE_EXHAUSTED,
        Unreachable: Code.UNAVAILABLE,
        Unauthorized: Code.UNAUTHENTICATED,
        Forbidden: Code.PERMISSION_DENIED,
        Refused: Code.FAILED_PRECONDITION,
        NotFound: Code.NOT_FOUND,
        Conflict: Code.ALREADY_EXISTS,
        Invalid: Code.INVALID_ARGUMENT,
        ConfigError: Code.INVALID_ARGUMENT,
        EnnioError: Code.INTERNAL,
    }
)
"""How a node tells an error; of a class that stands not here, the nearest above it."""

ERRORS: Mapping[Any, type[EnnioError]] = MappingProxyType(
    {
        Code.CANCELLED: Unreachable,
        Code.UNKNOWN: Unreachable,
        Code.INVALID_ARGUMENT: Invalid,
        Code.DEADLINE_EXCEEDED: TimedOut,
        Code.NOT_FOUND: NotFound,
        Code.ALREADY_EXISTS: Conflict,
        Code.PERMISSION_DENIED: Forbidden,
        Code.RESOURCE_EXHAUSTED: Exhausted,
        Code.FAILED_PRECONDITION: Refused,
        Code.ABORTED: Conflict,
        Code.OUT_OF_RANGE: Invalid,
        Code.UNIMPLEMENTED: Unreachable,
        Code.INTERNAL: Unreachable,
        Code.UNAVAILABLE: Unreachable,
        Code.DATA_LOSS: Unreachable,
        Code.UNAUTHENTICATED: Unauthorized,
    }
)
"""What each status says to us. Where nobody can tell what became of a call, nothing is known."""


def code_of(error: EnnioError) -> Any:
    """The status that tells of an error."""
    return next(CODES[kind] for kind in type(error).__mro__ if kind in CODES)


def error_of(status: Any, words: str) -> EnnioError:
    """The error that a status tells of."""
    return ERRORS.get(status, Unreachable)(words)
