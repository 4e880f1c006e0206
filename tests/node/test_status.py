"""Each status of gRPC has its row: the error it is here, and the code of HTTP that it becomes."""

from __future__ import annotations

import grpc
import pytest

from ennio.model import errors
from ennio.model.errors import EnnioError, Unreachable
from ennio.node.status import CODES, ERRORS, Forbidden, code_of, error_of

Code = grpc.StatusCode
ROWS = {
    Code.CANCELLED: ("Unreachable", 504),
    Code.UNKNOWN: ("Unreachable", 504),
    Code.INVALID_ARGUMENT: ("Invalid", 400),
    Code.DEADLINE_EXCEEDED: ("TimedOut", 504),
    Code.NOT_FOUND: ("NotFound", 404),
    Code.ALREADY_EXISTS: ("Conflict", 409),
    Code.PERMISSION_DENIED: ("Forbidden", 403),
    Code.RESOURCE_EXHAUSTED: ("Exhausted", 503),
    Code.FAILED_PRECONDITION: ("Refused", 409),
    Code.ABORTED: ("Conflict", 409),
    Code.OUT_OF_RANGE: ("Invalid", 400),
    Code.UNIMPLEMENTED: ("Unreachable", 504),
    Code.INTERNAL: ("Unreachable", 504),
    Code.UNAVAILABLE: ("Unreachable", 504),
    Code.DATA_LOSS: ("Unreachable", 504),
    Code.UNAUTHENTICATED: ("Unauthorized", 401),
}


def test_every_status_there_is_has_its_row() -> None:
    assert set(ROWS) == set(ERRORS) == set(Code) - {Code.OK}


@pytest.mark.parametrize("status", ROWS, ids=lambda status: status.name)
def test_a_status_is_this_error_and_this_code_of_http(status: grpc.StatusCode) -> None:
    error = error_of(status, "why")
    assert (type(error).__name__, error.http_status) == ROWS[status]
    assert str(error) == "why"


def test_an_error_that_is_told_comes_back_as_itself_or_as_nothing_known() -> None:
    plain = {kind for kind in CODES if kind not in (EnnioError, errors.ConfigError)}
    for kind in plain:
        assert type(error_of(code_of(kind("why")), "why")) is kind
    assert isinstance(error_of(code_of(EnnioError("why")), "why"), Unreachable)


def test_an_error_without_a_row_is_told_as_the_nearest_above_it() -> None:
    assert code_of(errors.OverBudget("spent")) is Code.FAILED_PRECONDITION
    assert code_of(errors.Away("gone")) is Code.UNAVAILABLE
    assert code_of(Forbidden("out")) is Code.PERMISSION_DENIED
