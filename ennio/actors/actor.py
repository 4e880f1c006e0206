"""The base of all actors: pykka's, run by greenlets, with one word to the
supervisor for every death.

Built on pykka 4.5's hooks for actor runtimes. What is added to pykka: an actor that ends, however
it ends, is unregistered, its effects end with it, and its watcher is told once (``Down``); a
``gevent.Timeout`` or ``GreenletExit`` that leaks out of a handler ends this actor instead of every
actor in the process; a bug met while answering an ask goes to the asker *and* ends the actor, whose
state may be half changed. Errors of ``ennio.model.errors`` are answers: they go to the asker only.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from types import TracebackType
from typing import Any
from weakref import WeakSet

import gevent
import pykka
from gevent.event import AsyncResult
from gevent.queue import SimpleQueue

from ennio.actors.messages import Down, EffectResult
from ennio.model.errors import EnnioError, Unreachable, failed_by_machine, run_out

log = logging.getLogger(__name__)
_WINDING = 0.02
_under_way: WeakSet[gevent.Greenlet] = WeakSet()


class ActorKilledError(Exception):
    """The actor's greenlet was killed, or a timeout leaked out of a handler."""


class GeventFuture(pykka.Future[Any]):
    """A reply that greenlets wait for."""

    def __init__(self) -> None:
        super().__init__()
        self._result: AsyncResult = AsyncResult()

    def get(self, *, timeout: float | None = None) -> Any:
        """The reply; raises pykka.Timeout when it does not come in time."""
        try:
            return super().get(timeout=timeout)
        except NotImplementedError:
            pass
        try:
            return self._result.get(timeout=timeout)
        except gevent.Timeout as late:
            raise pykka.Timeout(f"no answer within {timeout} s") from late

    def set(self, value: Any | None = None) -> None:
        """Answer."""
        self._result.set(value)

    def set_exception(self, exc_info: Any = None) -> None:
        """Answer with an error."""
        _kind, value, _traceback = exc_info or sys.exc_info()
        self._result.set_exception(value)


class Actor(pykka.Actor):
    """An actor in a greenlet. ``name`` is what people and the supervisor call it."""

    def __init__(self, name: str, watcher: pykka.ActorRef[Any] | None = None) -> None:
        super().__init__()
        self.name = name
        self._watcher = watcher
        self._greenlet: gevent.Greenlet | None = None
        self._death: str | None = None
        self._outage = False
        self._effects: set[gevent.Greenlet] = set()

    @staticmethod
    def _create_actor_inbox() -> Any:
        return SimpleQueue()

    @staticmethod
    def _create_future() -> pykka.Future[Any]:
        return GeventFuture()

    def _start_actor_loop(self) -> None:
        self._greenlet = gevent.Greenlet(self._actor_loop)
        self._greenlet.name = self.name
        self._greenlet.link(self._ended)
        self._greenlet.start()

    def _handle_receive(self, message: Any) -> Any:
        try:
            return super()._handle_receive(message)
        except EnnioError:
            raise
        except (gevent.Timeout, gevent.GreenletExit) as leaked:
            self._die(f"{type(leaked).__name__} in {type(message).__name__}")
            raise ActorKilledError(self._death) from leaked
        except Exception as bug:
            self._die(f"{type(bug).__name__}: {bug} (in {type(message).__name__})", bug)
            raise

    def _die(self, why: str, of: BaseException | None = None) -> None:
        self._death = self._death or why
        self._outage = (
            self._outage
            or isinstance(of, Unreachable)
            or (of is not None and run_out(of) is not None)
        )
        self.actor_stopped.set()

    def _handle_failure(
        self,
        exception_type: type[BaseException] | None,
        exception_value: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._die(
            f"{exception_type.__name__ if exception_type else 'error'}: {exception_value}",
            exception_value,
        )
        super()._handle_failure(exception_type, exception_value, traceback)

    def _ended(self, greenlet: gevent.Greenlet) -> None:
        """Runs in the hub, once, whatever the actor died of; must not wait for anything."""
        if greenlet.exception is not None:
            self._death = (
                self._death or f"{type(greenlet.exception).__name__}: {greenlet.exception}"
            )
        elif not self.actor_stopped.is_set():
            self._death = self._death or "killed"
        self.actor_stopped.set()
        pykka.ActorRegistry.unregister(self.actor_ref)
        self._actor_loop_teardown()
        for effect in tuple(self._effects):
            effect.kill(block=False)
        if self._watcher is not None and self._watcher.is_alive():
            self._watcher.tell(Down(self.name, self.actor_urn, self._death, self._outage))

    def perform(self, what: Any, effect: Callable[[], Any]) -> gevent.Greenlet:
        """Run a slow effect beside the mailbox; an ``EffectResult`` tells its end.
        A bug in it ends the actor.

        What the operating system refuses or has no more of is no bug: it is told
        like what could not be reached.
        """

        def run() -> None:
            try:
                done = EffectResult(what, result=effect())
            except EnnioError as error:
                done = EffectResult(what, error=error)
            except OSError as error:
                done = EffectResult(what, error=failed_by_machine(error))
                if run_out(error) is None:  # it may still be a fault of ours, of which this tells
                    told = {"actor": self.name, "error": str(error)}
                    log.warning("the machine failed an effect", exc_info=error, extra=told)
            except Exception as broken:
                if not self.actor_stopped.is_set():
                    raise
                log.debug(
                    "effect broken off", extra={"actor": self.name, "error": str(broken)}
                )  # nobody waits for it any more
                return
            if not self.actor_stopped.is_set():
                self.actor_ref.tell(done)

        greenlet = gevent.spawn(run)
        self._effects.add(greenlet)
        _under_way.add(greenlet)
        greenlet.link(self._effect_ended)
        return greenlet

    def _effect_ended(self, greenlet: gevent.Greenlet) -> None:
        self._effects.discard(greenlet)
        if (
            greenlet.exception is not None
            and self._greenlet is not None
            and not self._greenlet.dead
        ):
            self._death = (
                f"effect failed: {type(greenlet.exception).__name__}: {greenlet.exception}"
            )
            self._greenlet.kill(block=False)

    def later(self, seconds: float, message: Any) -> gevent.Greenlet:
        """Tell oneself something in a while; the returned greenlet can be killed."""
        return gevent.spawn_later(max(0.0, seconds), self._tell_self, message)

    def _tell_self(self, message: Any) -> None:
        if not self.actor_stopped.is_set():
            self.actor_ref.tell(message)


def wound_up(within: float) -> bool:
    """Wait until every actor of this process has ended, with what it had under way; False when
    that takes longer (seconds).
    """
    with gevent.Timeout(within, False):
        while pykka.ActorRegistry.get_all() or any(not effect.dead for effect in _under_way):
            gevent.sleep(_WINDING)
        return True
    return False
