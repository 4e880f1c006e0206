"""Reading what a request carries: a JSON body, a query; strictly, and never with a 5xx.

What is refused: other media types (415), more than a mebibyte (413), broken UTF-8 or JSON, ``NaN``,
a key that is there twice, fields and parameters nobody knows (400, naming the nearest known one).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import parse_qsl

import falcon
from gunicorn.http.errors import ParseException

from ennio.model.errors import Invalid
from ennio.model.id_list_field import IdListField
from ennio.model.request_body import missing, parse_object, read_object, refuse_unknown
from ennio.model.request_fields import BODY_LIMIT, ChoiceListField, request_fields

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Nothing:
    """What a request carries that carries nothing."""


def read_body(req: falcon.Request, cls: type[T]) -> T:
    """The body as this dataclass, what is missing as its default.

    A request without any body reads as an empty one, so that calls without
    required fields need none.
    """
    raw = _raw(req)
    if raw or req.content_type:
        _json_only(req.content_type)
    return read_object(cls, parse_object(raw) if raw else {})


def read_raw(req: falcon.Request) -> bytes:
    """The body as it came, for whoever must check a signature over it; at most a mebibyte."""
    return _raw(req)


def read_query(req: falcon.Request, cls: type[T]) -> T:
    """The parameters as this dataclass, what is missing as its default. Only
    choices may be repeated.
    """
    given: dict[str, str] = {}
    fields = request_fields(cls)
    for name, text in _pairs(req.query_string):
        repeatable = isinstance(fields.get(name), ChoiceListField | IdListField)
        if name in given and not repeatable:
            raise Invalid(f"{name}: is in the query twice")
        given[name] = f"{given[name]},{text}" if name in given else text
    refuse_unknown(given, fields, "parameter")
    return cls(
        **{
            name: field.from_text(name, given[name]) if name in given else missing(name, field)
            for name, field in fields.items()
        }
    )


def _raw(req: falcon.Request) -> bytes:
    too_large = falcon.HTTPContentTooLarge(
        description=f"the body is larger than {BODY_LIMIT} bytes"
    )
    if (req.content_length or 0) > BODY_LIMIT:
        raise too_large
    try:
        # not Falcon's bounded stream, which is empty when the body comes in chunks
        raw: bytes = req.env["wsgi.input"].read(BODY_LIMIT + 1)
    except TimeoutError:
        raise falcon.HTTPError(408, description="the body did not arrive in time") from None
    except (OSError, ParseException) as error:
        raise Invalid(f"the body broke off: {error}") from None
    if len(raw) > BODY_LIMIT:
        raise too_large
    return raw


def _json_only(content_type: str | None) -> None:
    media, _, parameters = (content_type or "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    if media.strip() != "application/json" or charset not in ("", "charset=utf-8"):
        raise falcon.HTTPUnsupportedMediaType(
            description="only JSON is understood; send Content-Type: application/json"
        )


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, errors="strict", max_num_fields=100)
    except UnicodeDecodeError:
        raise Invalid("the query is not UTF-8") from None
    except ValueError:
        raise Invalid("the query has more than 100 parameters") from None
