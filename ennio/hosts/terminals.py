"""The terminals of sessions' agents: typed to by Ennio and by people, read and watched."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import cast

from ennio.hosts.answering import Answering
from ennio.hosts.brief import Brief
from ennio.hosts.delivery import Delivery, Words
from ennio.hosts.interrupting import Interrupting
from ennio.hosts.message_delivery import MessageDelivery
from ennio.hosts.resolved import BriefResolver
from ennio.hosts.session_files import PROMPT
from ennio.hosts.session_locks import SessionLocks
from ennio.machine.closed_place import refusing
from ennio.machine.questions import NOTHING_ASKED, Questions
from ennio.model.clock import Clock
from ennio.model.errors import Refused
from ennio.model.session import RuntimeHandle
from ennio.model.terminal_view import TerminalOutput, TerminalShot
from ennio.plugins.registry import Registry
from ennio.plugins.runtime.interface import ForeseeableRuntime, WatchableRuntime
from ennio.plugins.terminal.interface import BroadcastTerminal


class SessionTerminals:
    """See ``AgentTerminals``. To one agent only one types at a time; looking at its terminal
    does not wait for that.
    """

    def __init__(self, plugins: Registry, resolver: BriefResolver, clock: Clock) -> None:
        self._plugins = plugins
        self._machine = plugins.machine
        self._resolver = resolver
        self._resolve = resolver.resolve
        self._clock = clock
        self._typing = SessionLocks()

    def obstacle(self, brief: Brief, words: Words) -> Delivery | None:
        """See ``AgentTerminals``."""
        with refusing(self._machine), self._machine.foreseen(self._of_typing(brief)):
            return self._words(brief).obstacle(words)

    def deliver(self, brief: Brief, words: Words) -> Delivery:
        """See ``AgentTerminals``."""
        with self._to_type(brief) as delivery:
            return delivery.deliver(words)

    def settle(self, brief: Brief, words: Words, *, alive: bool, entered: bool) -> Delivery:
        """See ``AgentTerminals``."""
        with self._to_type(brief) as delivery:
            return delivery.settle(words, alive=alive, entered=entered)

    def received(self, brief: Brief, words: Words) -> Delivery:
        """See ``AgentTerminals``."""
        with refusing(self._machine):
            return self._words(brief).received(words)

    def put_back(self, brief: Brief, draft: str) -> bool:
        """See ``AgentTerminals``."""
        with refusing(self._machine), self._typing.alone(brief.session_id):
            return self._words(brief).put_back(draft)

    @contextmanager
    def _to_type(self, brief: Brief) -> Iterator[MessageDelivery]:
        """Types to its agent, and nobody else meanwhile."""
        with (
            refusing(self._machine),
            self._typing.alone(brief.session_id),
            self._machine.foreseen(self._of_typing(brief)),
        ):
            yield self._words(brief)

    def _of_typing(self, brief: Brief) -> Questions:
        """What is asked of the machine before an agent is typed to."""
        if not self._machine.name:
            return NOTHING_ASKED
        at = self._resolve(brief)
        asked = at.files.of_typing(at.path, at.sandbox)
        if not isinstance(at.runtime, ForeseeableRuntime):
            return asked
        return replace(asked, commands=at.runtime.foreseen(at.handle.id).commands)

    def _words(self, brief: Brief) -> MessageDelivery:
        at = self._resolve(brief)
        prompt = lambda: at.files.read(PROMPT) or ""  # noqa: E731 - read where it is needed
        return MessageDelivery(
            at.runtime, at.agent, at.context, at.handle, at.files.typed, self._clock, prompt
        )

    def interrupt(self, brief: Brief) -> None:
        """See ``AgentTerminals``."""
        at = self._resolve(brief)
        with refusing(self._machine):
            Interrupting(at.runtime, at.agent, at.handle).interrupt()

    def answer(self, brief: Brief, text: str) -> None:
        """See ``AgentTerminals``."""
        with refusing(self._machine), self._typing.alone(brief.session_id):
            at = self._resolve(brief)
            Answering(at.runtime, at.agent, at.context, at.handle).answer(text)

    def output(self, brief: Brief, lines: int) -> str:
        """See ``AgentTerminals``."""
        at = self._resolve(brief)
        return at.runtime.output(at.handle, lines)

    def attach_command(self, brief: Brief) -> tuple[str, ...]:
        """See ``AgentTerminals``."""
        at = self._resolve(brief)
        return at.runtime.attach_command(at.handle)

    def watch(
        self, brief: Brief, stream: str | None, offset: int, timeout: float
    ) -> TerminalOutput:
        """See ``AgentTerminals``."""
        runtime, handle = self._watchable(brief)
        web = cast("BroadcastTerminal", self._plugins.terminal("web"))
        begin = partial(runtime.open_stream, handle)
        return web.watch(brief.session_id, begin, stream, offset, timeout)

    def shot(self, brief: Brief, history: int) -> TerminalShot:
        """See ``AgentTerminals``."""
        runtime, handle = self._watchable(brief)
        return runtime.shot(handle, history)

    def type_keys(self, brief: Brief, data: bytes, *, paste: bool) -> None:
        """See ``AgentTerminals``."""
        runtime, handle = self._watchable(brief)
        with self._typing.alone(brief.session_id):
            runtime.type(handle, data, paste=paste)

    def resize(self, brief: Brief, columns: int, rows: int) -> None:
        """See ``AgentTerminals``."""
        runtime, handle = self._watchable(brief)
        runtime.resize(handle, columns, rows)

    def _watchable(self, brief: Brief) -> tuple[WatchableRuntime, RuntimeHandle]:
        """Its runtime, where that can be watched, and its handle."""
        runtime = self._resolver.runtime(brief)
        if not isinstance(runtime, WatchableRuntime):
            raise Refused(
                f"session {brief.session_id} runs in {brief.runtime}, whose terminals cannot be "
                "watched; read its output instead"
            )
        handle = brief.handle or RuntimeHandle(brief.session_id, runtime.name)
        return runtime, handle
