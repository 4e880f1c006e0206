"""Locks that greenlets and threads of the system may share.

Everything in the supervisor runs in greenlets of one thread but what reads agents' files
(``in_a_thread``), and what the interpreter and the libraries do beside it. gevent's own locks are
not made for two threads: one that is let go in a thread without an event loop, and taken there
again before the loop has looked, forgets whom to wake. It is free from then on, and its greenlets
wait for ever. So in this process every lock is one of these, with all that stands on locks:
conditions, logging, imports, plugins. Queues do not: gevent's stay between greenlets.

A greenlet that has to wait lets the others run, a thread waits as any other. Whoever lets go wakes
one of those who wait, and who is woken and finds the lock taken stands first in the line again.
"""

from __future__ import annotations

import _thread
import logging
import threading
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Any
from weakref import WeakKeyDictionary

import gevent
from gevent import monkey
from gevent._hub_local import get_hub_if_exists as hub_here
from gevent.exceptions import BlockingSwitchOutError, LoopExit
from gevent.hub import Hub, Waiter
from gevent.thread import LockType

_native: Callable[[], Any] = monkey.get_original("_thread", "allocate_lock")
_thread_here: Callable[[], int] = monkey.get_original("_thread", "get_ident")
_NOBODY = 0


def in_a_thread(work: Callable[[], None]) -> None:
    """Do it in a thread of the system's, which a slow disk may keep waiting
    without the other greenlets.
    """
    gevent.get_hub().threadpool.apply(work)


def share_with_threads() -> None:
    """From now on every lock of this process is one that threads and greenlets may share; call it
    once gevent has patched the standard library.
    """
    for module in (_thread, threading):
        for name in [name for name, value in vars(module).items() if value is LockType]:
            setattr(module, name, SharedLock)
    # those that there are already, of what is used in every thread
    threading._active_limbo_lock = threading.RLock()  # type: ignore[attr-defined] # noqa: SLF001
    logging._lock = threading.RLock()  # type: ignore[attr-defined] # noqa: SLF001
    for handler in [reference() for reference in logging._handlerList]:  # type: ignore[attr-defined] # noqa: SLF001
        if handler is not None:
            handler.createLock()


class SharedLock:
    """What ``threading.Lock`` makes. Not fair: who comes just in time is served first."""

    __slots__ = ("__weakref__", "_holder", "_real", "_waiting")

    def __init__(self) -> None:
        self._real = _native()
        self._holder = _NOBODY
        """The thread it was taken in; told a moment late."""
        # a list, whose single steps are whole ones too: there are many locks and short lines
        self._waiting: list[_Waiting] = []

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take it; False when that cannot be within the time (seconds)."""
        _check(blocking, timeout)
        if self._take():
            return True
        hub = hub_here()
        if not blocking:
            if hub is not None and gevent.getcurrent() is not hub:
                gevent.sleep(0)  # whoever asks again and again lets those run whom it waits for
            return False
        if hub is None:
            return self._take(timeout)
        if gevent.getcurrent() is hub:
            return self._take_in_the_loop(timeout)
        with gevent.Timeout(None if timeout < 0 else timeout, False):
            return self._wait(_Waiting(hub))
        return False

    def release(self) -> None:
        """Let it go, whoever has taken it."""
        self._holder = _NOBODY
        self._real.release()
        self._wake()

    def locked(self) -> bool:
        """Whether somebody has it."""
        return bool(self._real.locked())

    __enter__ = acquire

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.release()

    def __repr__(self) -> str:
        state = "locked" if self.locked() else "unlocked"
        return f"<{state} {type(self).__name__}, {len(self._waiting)} waiting, at {id(self):#x}>"

    acquire_lock, release_lock, locked_lock = acquire, release, locked

    def _at_fork_reinit(self) -> None:
        """In a child nobody has it, and nobody waits."""
        self._real, self._holder = _native(), _NOBODY
        self._waiting.clear()

    def _take(self, timeout: float = 0) -> bool:
        taken: bool = self._real.acquire(timeout != 0, timeout or -1)
        if taken:
            self._holder = _thread_here()
        return taken

    def _wait(self, waiting: _Waiting) -> bool:
        taken = False
        self._waiting.append(waiting)
        try:
            # asked once more in the line: it may have been let go before that
            while not (taken := self._take()):
                try:
                    waiting.wait()
                except LoopExit:  # nobody else runs in this thread
                    self._refuse_to_wait_for_oneself()
                    return (taken := self._take(-1))
                self._waiting.insert(0, waiting)
            return True
        finally:
            with suppress(ValueError):
                self._waiting.remove(waiting)
            if not taken:
                self._wake()  # it may have been woken, and is gone

    def _take_in_the_loop(self, timeout: float) -> bool:
        """The loop itself cannot let others run."""
        self._refuse_to_wait_for_oneself()
        return self._take(timeout)

    def _refuse_to_wait_for_oneself(self) -> None:
        if self._holder == _thread_here():
            raise BlockingSwitchOutError("a lock of this thread cannot be waited for here")

    def _wake(self) -> None:
        while self._waiting and not self._real.locked():
            try:
                waiting = self._waiting.pop(0)
            except IndexError:  # another thread was faster
                return
            if waiting.wake():
                return


class _Waiting:
    """A greenlet that waits for a lock, and how it is woken from whatever thread."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._bell = _bell_of(hub)
        self._waiter = Waiter(hub)

    def wait(self) -> None:
        """Let the others run until somebody wakes it."""
        self._waiter.get()
        self._waiter.clear()

    def wake(self) -> bool:
        """False when its loop has ended."""
        loop = self._hub.loop
        if loop is None:
            return False
        if self._hub.thread_ident == _thread_here():
            loop.run_callback(self._waiter.switch, None)
        else:
            self._bell.ring_for(self._waiter)
        return True


class _Bell:
    """Wakes the greenlets of a loop from other threads.

    ``run_callback_threadsafe`` is not safe for this: it adds to the loop's count of what keeps it
    running while the loop, which holds no lock of the interpreter, adds and takes away too. Now
    and then one of the two is lost; after enough of those the loop thinks that nothing will ever
    come, and ends in the middle of its work. Here only the loop's own thread counts.
    """

    def __init__(self, loop: Any) -> None:
        self._loop = loop
        self._woken: deque[Waiter] = deque()
        self._rung = loop.async_(ref=False)
        self._rung.start(self._answer)

    def ring_for(self, waiter: Waiter) -> None:
        """Let it go on as soon as its loop has looked."""
        self._woken.append(waiter)
        self._rung.send()

    def _answer(self) -> None:
        while self._woken:
            self._loop.run_callback(self._woken.popleft().switch, None)


_bells: WeakKeyDictionary[Hub, _Bell] = WeakKeyDictionary()


def _bell_of(hub: Hub) -> _Bell:
    """The hub's, made in its own thread by whoever waits there first."""
    bell = _bells.get(hub)
    if bell is None:
        bell = _bells[hub] = _Bell(hub.loop)
    return bell


def _check(blocking: bool, timeout: float) -> None:
    if not blocking and timeout != -1:
        raise ValueError("can't specify a timeout for a non-blocking call")
    if timeout < 0 and timeout != -1:
        raise ValueError("timeout value must be strictly positive")
    if timeout > _thread.TIMEOUT_MAX:
        raise OverflowError("timeout value is too large")
