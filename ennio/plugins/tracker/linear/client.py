"""One careful GraphQL client of Linear: within the limits of its key, and silent
when Linear asks for that.

Linear counts requests and the complexity of queries, tells both in headers (resets in
milliseconds), and answers 400 with the code RATELIMITED when one is used up.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import ennio
from ennio.machine.untrusted import json_value
from ennio.model.clock import Clock
from ennio.model.errors import EnnioError, NotFound, Refused, Unreachable
from ennio.plugins.quota import Allowance, Quota, RequestBudget, allowance_of
from ennio.plugins.web import Transport

COUNTERS = ("requests", "complexity")
_LARGEST = 16 * 1024 * 1024
_KEY = (
    "write a valid api_key into tracker_config.config (Linear: Settings, Security & access, API "
    "keys)"
)


class LinearClient:
    """Asks one Linear in the name of one key. Calls block; they raise
    Unreachable, Refused, NotFound.
    """

    def __init__(self, url: str, authorization: str, clock: Clock) -> None:
        self._url = url
        self._host = urlsplit(url).hostname or url
        self._authorization = authorization
        self._clock = clock
        self._web = Transport(_LARGEST)

    @property
    def allowance(self) -> Allowance:
        """The budget of the key, shared by all projects that use it."""
        return allowance_of(self._url, self._authorization)

    def ask(
        self, query: str, variables: Mapping[str, Any] | None = None, *, action: bool = False
    ) -> dict[str, Any]:
        """The data of an answer. An action may use what is kept back for actions."""
        for counter in COUNTERS:
            refusal = self.allowance.budget.refusal(counter, self._clock.now(), action=action)
            if refusal is not None:
                raise Unreachable(f"{self._host} was not asked: {refusal}", until=refusal.until)
        status, headers, raw = self._post(
            json.dumps({"query": query, "variables": variables or {}}).encode()
        )
        return self._judge(status, headers, _document(raw))

    def _post(self, body: bytes) -> tuple[int, Mapping[str, str], bytes]:
        headers = {
            "Authorization": self._authorization,
            "Content-Type": "application/json",
            "User-Agent": f"ennio/{ennio.__version__}",
            "Accept-Encoding": "gzip",
        }
        try:
            answer = self._web.request("POST", self._url, body, headers)
        except Unreachable as error:
            self._failed(str(error))
            raise
        return answer.status, answer.headers, answer.raw

    def _judge(self, status: int, headers: Mapping[str, str], document: Any) -> dict[str, Any]:
        errors = document.get("errors") or [] if isinstance(document, dict) else []
        codes = {_code(error) for error in errors}
        if "RATELIMITED" in codes or status == 429:
            raise self._limited(headers)
        if status >= 500 or not isinstance(document, dict):
            raise Unreachable(
                self._failed(f"{self._host} answered {status} without a usable answer")
            )
        quotas = _quotas(headers)
        self.allowance.change(lambda budget: _counted(budget, quotas))
        data = document.get("data")
        if errors or not isinstance(data, dict):
            raise self._problem(errors, status)
        return data

    def _limited(self, headers: Mapping[str, str]) -> Unreachable:
        """Nothing more is asked before the reset of whichever counter is used up, or the
        pause that was asked for.
        """
        now, quotas = self._clock.now(), _quotas(headers)
        used_up = [
            counter
            for counter, quota in quotas.items()
            if quota.remaining <= 0 and quota.resets_at > now
        ]
        if used_up:
            self.allowance.change(
                lambda budget: _used_up(
                    budget, {counter: quotas[counter] for counter in used_up}, now
                )
            )
        else:
            wait = headers.get("retry-after", "")
            self.allowance.change(
                lambda budget: budget.rate_limited(float(wait) if wait.isdecimal() else None, now)
            )
        why = self.allowance.budget.refusal(
            used_up[0] if used_up else COUNTERS[0], now, action=True
        )
        return Unreachable(f"{self._host} limits requests: {why}", until=why.until if why else None)

    def _failed(self, words: str) -> str:
        now = self._clock.now()
        self.allowance.change(lambda budget: budget.failed(words, now))
        return words

    def _problem(self, errors: list[Any], status: int) -> EnnioError:
        said = (
            "; ".join(_said(error) for error in errors[:3])[:500]
            or f"status {status}, no reason given"
        )
        kinds = {_code(error) for error in errors} | {_kind(error) for error in errors}
        if status == 401 or kinds & {"AUTHENTICATION_ERROR", "AUTHENTICATION ERROR"}:
            return Refused(f"{self._host} refuses the key ({said}): {_KEY}")
        if re.search(r"entity not found|could not find", said, re.IGNORECASE):
            return NotFound(f"{self._host}: {said}; or the key may not see it")
        if (
            status == 403
            or kinds
            & {"FORBIDDEN", "INPUT_ERROR", "INVALID INPUT", "USER ERROR", "FEATURE_NOT_ACCESSIBLE"}
            or status == 400
        ):
            return Refused(f"{self._host} refused: {said}")
        return Unreachable(f"{self._host} did not answer the question: {said}")


def _document(raw: bytes) -> Any:
    try:
        return json_value(raw)
    except ValueError:
        return None


def _extensions(error: Any) -> Mapping[str, Any]:
    found = error.get("extensions") if isinstance(error, dict) else None
    return found if isinstance(found, dict) else {}


def _code(error: Any) -> str:
    return str(_extensions(error).get("code") or "").upper()


def _kind(error: Any) -> str:
    return str(_extensions(error).get("type") or "").upper()


def _said(error: Any) -> str:
    message = str(error.get("message") or "") if isinstance(error, dict) else str(error)
    return " ".join(
        dict.fromkeys(
            filter(None, [message, str(_extensions(error).get("userPresentableMessage") or "")])
        )
    )


def _quotas(headers: Mapping[str, str]) -> dict[str, Quota]:
    found = {}
    for counter in COUNTERS:
        try:
            limit, remaining, reset = (
                float(headers[f"x-ratelimit-{counter}-{part}"])
                for part in ("limit", "remaining", "reset")
            )
            found[counter] = Quota(
                int(limit), int(remaining), datetime.fromtimestamp(reset / 1000, UTC)
            )
        except (KeyError, ValueError, OverflowError):
            continue
    return found


def _counted(budget: RequestBudget, quotas: Mapping[str, Quota]) -> RequestBudget:
    """The budget after an answer."""
    for counter in COUNTERS:
        budget = budget.answered(counter, quotas.get(counter))
    return budget


def _used_up(budget: RequestBudget, quotas: Mapping[str, Quota], now: datetime) -> RequestBudget:
    for counter, quota in quotas.items():
        budget = budget.exhausted(counter, quota, now)
    return budget
