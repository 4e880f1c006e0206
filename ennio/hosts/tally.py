"""What a session's proxy counted, and what its agent told of the same requests. Pure.

It is kept with how far the agent was read, so that both are known after any crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Self

from ennio.model.usage import Billing, Counted, RequestUsage, Tokens
from ennio.proxy.journal import Begun, Passed
from ennio.proxy.request_usage import usage_of

_GROWING = 32
"""Of so many of the latest requests more may be told yet; of those before only the sum is kept."""


@dataclass(slots=True)
class Tally:
    """Where to read on in what passed, what is under way, and the sums of the present launch.

    ``open`` are requests that have begun, with when and by which process. ``told`` is the sum of
    what the agent told and that does not grow any more, ``growing`` the rest by its id.
    ``said``: that both differ was told of this launch. ``billing`` is who pays, by the last look.
    """

    at: int = 0
    launch: int = 0
    open: dict[str, tuple[float, int]] = field(default_factory=dict)
    quiet_since: float = 0.0
    requests: int = 0
    passed: tuple[int, ...] = Tokens().counts
    unknown: int = 0
    tells: bool = False
    told_requests: int = 0
    told: tuple[int, ...] = Tokens().counts
    growing: dict[str, tuple[int, ...]] = field(default_factory=dict)
    said: bool = False
    billing: str = ""

    @classmethod
    def of(cls, text: str | None) -> Self:
        """As it was kept; a blank one where there is none or it cannot be read."""
        try:
            return cls(**json.loads(text or "{}"))
        except (ValueError, TypeError):
            return cls()

    def as_text(self) -> str:
        """The same to be kept."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @property
    def is_busy(self) -> bool:
        """Whether a request is under way."""
        return bool(self.open)

    @property
    def counted(self) -> Counted:
        """How both stand to each other."""
        grown = sum((Tokens(*each) for each in self.growing.values()), Tokens(*self.told))
        return Counted(
            self.launch,
            self.requests,
            Tokens(*self.passed),
            self.unknown,
            self.told_requests + len(self.growing),
            grown if self.tells else None,
            self.is_busy,
            datetime.fromtimestamp(self.quiet_since, UTC) if self.quiet_since else None,
        )

    def take(self, passed: Iterable[Passed], billing: Billing) -> list[RequestUsage]:
        """Take note of what passed; what is to be posted of it."""
        self.billing = billing.value
        found = []
        for one in passed:
            self._begin_launch(one.launch)
            if isinstance(one, Begun):
                self.open[one.id] = (one.at, one.by)
                continue
            self.open.pop(one.id, None)
            self.quiet_since = max(self.quiet_since, one.at)
            request = usage_of(one, billing)
            if request is not None:
                found.append(self._counted(request, one.launch))
        return found

    def cut_off(self, lives: int | None, billing: Billing) -> list[RequestUsage]:
        """Requests that ended with the process that passed them on, which is not the one that lives
        now: what they used nobody knows.
        """
        dead = [name for name, (_, by) in self.open.items() if by != lives]
        found = []
        for name in dead:
            at, _ = self.open.pop(name)
            self.quiet_since = max(self.quiet_since, at)
            moment = datetime.fromtimestamp(at, UTC)
            request = RequestUsage(
                name, moment, Tokens(), billing=billing, launch=self.launch, unmeasured=True
            )
            found.append(self._counted(request, self.launch))
        return found

    def compare(self, request: RequestUsage, launch: int) -> None:
        """Take note of what the agent told of a launch that was counted already."""
        self._begin_launch(launch)
        if launch != self.launch:
            return
        before = Tokens(*self.growing.pop(request.id, Tokens().counts))
        self.growing[request.id] = before.most(request.tokens).counts
        for name in list(self.growing)[:-_GROWING]:
            self.told = (Tokens(*self.told) + Tokens(*self.growing.pop(name))).counts
            self.told_requests += 1

    def _counted(self, request: RequestUsage, launch: int) -> RequestUsage:
        if launch == self.launch:
            self.requests += 1
            self.unknown += request.unmeasured
            self.passed = (Tokens(*self.passed) + request.tokens).counts
        return request

    def _begin_launch(self, launch: int) -> None:
        if launch > self.launch:
            self.launch, self.requests, self.unknown, self.told_requests = launch, 0, 0, 0
            self.passed = self.told = Tokens().counts
            self.growing, self.said = {}, False
