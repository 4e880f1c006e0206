"""Errors of the API in the words of whoever typed: fields are called as their options."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from ennio.model.errors import Invalid


@contextmanager
def as_options(options: Mapping[str, str]) -> Iterator[None]:
    """What the API says of a field of ``options`` names the option, ``{"limit_usd": "--limit"}``:
    at the beginning of the text, and wherever the field cannot be a word of the sentence.
    """
    try:
        yield
    except Invalid as error:
        text = str(error)
        for field, option in options.items():
            text = re.sub(rf"\A{field}(?=: )", option, text)
            if "_" in field:
                text = re.sub(rf"(?<![\w-]){field}(?!\w)", option, text)
        if text == str(error):
            raise
        raise Invalid(text) from error
