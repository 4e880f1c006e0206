"""Child processes of the supervisor, begun the way the standard library begins them.

gevent's ``Popen`` forks in Python: the child copies the page tables of the whole worker, closes
descriptors one by one in the interpreter, and the parent learns through the event loop that the
program has begun. The standard library's own way (``vfork`` in C) takes a tenth of that. Here it
begins the child, and gevent waits for its end.
"""

from __future__ import annotations

import importlib.util
import inspect
import os
from types import ModuleType
from typing import Any

from gevent import monkey
from gevent import subprocess as cooperative
from gevent.os import fork_and_watch

_ABSENT = {"process_group": -1}
"""What the standard library says where gevent says None."""


def begin_natively() -> None:
    """From now on every ``Popen`` of this process begins its child so; call it once gevent has
    patched the standard library.

    Where the two do not fit together any more, everything stays as gevent has it:
    slower, and just as right.
    """
    native = _unpatched_subprocess().Popen
    execute, given = native._execute_child, _names(cooperative.Popen._execute_child)  # noqa: SLF001 - the one seam both have
    taken = _names(execute)
    if not set(taken) <= set(given):
        return

    def execute_child(popen: Any, *args: Any) -> None:
        """Begin the child and have its end watched; nothing yields between the two, so
        the end cannot be missed.
        """
        popen._loop.install_sigchld()  # noqa: SLF001
        named = {
            name: _ABSENT.get(name) if value is None else value
            for name, value in zip(given, args, strict=True)
        }

        def begun() -> int:
            execute(popen, **{name: named[name] for name in taken})
            return int(popen.pid)

        fork_and_watch(popen._on_child, popen._loop, True, begun)  # noqa: SLF001

    cooperative.Popen._execute_child = execute_child  # noqa: SLF001
    cooperative.Popen._close_pipe_fds = native._close_pipe_fds  # noqa: SLF001


def _names(method: Any) -> list[str]:
    """The parameters of a method after the first."""
    return list(inspect.signature(method).parameters)[1:]


def _unpatched_subprocess() -> ModuleType:
    """The module as the standard library has it: the one that everybody
    imports is gevent's by now.
    """
    spec = importlib.util.find_spec("subprocess")
    if spec is None or spec.loader is None:
        raise ImportError("the standard library has no subprocess")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.os = _unpatched_os()  # type: ignore[attr-defined] # gevent's own ``close`` waits for the event loop
    return module


def _unpatched_os() -> ModuleType:
    found = ModuleType("os")
    found.__dict__.update(vars(os) | monkey.saved.get("os", {}))
    return found
