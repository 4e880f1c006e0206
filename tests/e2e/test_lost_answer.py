"""An answer that is lost on its way makes nothing happen twice: the connection is
cut once the act is done.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from tests.e2e.house import Ground, Supervised, project, story, supervised, turn

pytestmark = pytest.mark.e2e

HANG = story(turn("prompt", [{"say": "..."}, "hang"]))


class CuttingProxy:
    """Passes requests on, and keeps the answers to the first so many POSTs to itself."""

    def __init__(self, port: int, cuts: int) -> None:
        self.cut = 0
        self._port, self._cuts = port, cuts
        self._server = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._server.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._server.accept()
                with connection:
                    self._pass_on(connection)

    def _pass_on(self, client: socket.socket) -> None:
        request = client.recv(1 << 20)
        head, _, body = request.partition(b"\r\n\r\n")
        length = next(
            (
                int(line[15:])
                for line in head.split(b"\r\n")
                if line.lower().startswith(b"content-length:")
            ),
            0,
        )
        while len(body) < length:
            more = client.recv(1 << 20)
            request, body = request + more, body + more
        with socket.create_connection(("127.0.0.1", self._port), timeout=30) as server:
            server.sendall(request.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1))
            answer = b"".join(iter(lambda: server.recv(1 << 20), b""))
        if request.startswith(b"POST") and self.cut < self._cuts:
            self.cut += 1
            return
        client.sendall(answer)

    def close(self) -> None:
        self._server.shutdown(socket.SHUT_RDWR)
        self._server.close()


@contextmanager
def cut(house: Supervised, times: int) -> Iterator[CuttingProxy]:
    """Have commands reach the supervisor through a proxy that loses so many answers."""
    place = house.run_file("supervisor.json")
    address = json.loads(place.read_text())
    with closing(CuttingProxy(int(address["url"].rpartition(":")[2]), times)) as proxy:
        place.write_text(json.dumps({**address, "url": proxy.url}))
        try:
            yield proxy
        finally:
            place.write_text(json.dumps(address))


def hangs(ground: Ground) -> dict[str, object]:
    return project(ground, agent_config=HANG)


def test_a_spawn_or_a_message_whose_answer_is_lost_happens_once(tmp_path: Path) -> None:
    with supervised(tmp_path, hangs) as house:
        with cut(house, 2) as proxy:
            done = house.ground.ennio(
                "spawn", "score", "--prompt", "Write down what you know", "--json"
            )
            assert (done.code, proxy.cut) == (0, 2), done.err
        (name,) = house.sessions()
        assert json.loads(done.out)["id"] == name
        with cut(house, 1) as proxy:
            assert house.ground.ennio("send", name, "go on").code == 0
            assert proxy.cut == 1
        assert [one["text"] for one in house.client.get(f"/sessions/{name}/messages")].count(
            "go on"
        ) == 1
