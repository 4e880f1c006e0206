"""A bare Falcon application under gunicorn's own gevent worker: ``python -m
tests.bench.bare.server PORT ANSWER``.

``GET /answer`` gives the answer; ``GET /stream`` is an event stream; ``POST /tell`` sends the hour
to everybody who listens.
"""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

import falcon  # noqa: E402
from gevent.queue import Empty, SimpleQueue  # noqa: E402
from gunicorn.app.base import BaseApplication  # noqa: E402

_listening: list[Any] = []


class Answer:
    """The same bytes every time."""

    def __init__(self, answer: bytes) -> None:
        self._answer = answer

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Give them."""
        resp.content_type = "application/json"
        resp.data = self._answer


class Stream:
    """Everybody hears everything."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Listen."""
        resp.content_type = "text/event-stream"
        resp.stream = _heard()

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Tell the hour."""
        for queue in _listening:
            queue.put(time.time())


def _heard() -> Iterator[bytes]:
    queue: Any = SimpleQueue()
    _listening.append(queue)
    yield b"retry: 2000\n\n"
    while True:
        try:
            yield b'id: 1\nevent: told\ndata: {"at": %.6f}\n\n' % queue.get(timeout=15)
        except Empty:
            yield b": still here\n\n"


class Bare(BaseApplication):  # type: ignore[misc] # gunicorn is not typed
    """gunicorn with the settings of Ennio's supervisor."""

    def __init__(self, port: int, answer: bytes) -> None:
        self._port, self._answer = port, answer
        super().__init__()

    def load_config(self) -> None:
        """One gevent worker."""
        settings = {
            "bind": f"127.0.0.1:{self._port}",
            "worker_class": "gevent",
            "workers": 1,
            "keepalive": 15,
            "loglevel": "error",
        }
        for name, value in {
            **settings,
            "graceful_timeout": 1,
            "control_socket_disable": True,
        }.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """The application."""
        app = falcon.App()
        stream = Stream()
        app.add_route("/answer", Answer(self._answer))
        app.add_route("/stream", stream)
        app.add_route("/tell", stream)
        return app


if __name__ == "__main__":
    Bare(int(sys.argv[1]), sys.argv[2].encode()).run()
