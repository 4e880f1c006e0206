"""A check of schemathesis's own kind, loaded by it in its own process."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.check
def no_error_of_ennio_itself(_ctx: Any, response: Any, case: Any) -> None:
    """No 5xx but one: what it would need to know is not known just now, which the answer says
    by its kind and its words.
    """
    unknown = response.status_code == 504 and response.headers.get("ennio-error") == ["Unreachable"]
    assert response.status_code < 500 or unknown, (
        f"{case.method} {case.path}: {response.status_code}"
    )
