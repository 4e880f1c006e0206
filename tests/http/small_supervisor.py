"""A real supervisor process over the small orchestrator: ``python -m
tests.http.small_supervisor DIRECTORY PORT``.
"""

# what is imported before the patch keeps the blocking versions for good
from ennio import dataclass_methods, greenlets, lasting

lasting.begin()
greenlets.patch()
dataclass_methods.compile_when_called()

import gc  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402
from dataclasses import dataclass  # noqa: E402
from pathlib import Path  # noqa: E402
from typing import Any  # noqa: E402

from ennio.machine.home import Home  # noqa: E402
from ennio.model.errors import EnnioError, Refused  # noqa: E402
from tests.http.small_orchestrator import SmallOrchestrator, SmallSupervisor, configuration  # noqa: E402

from ennio.http.serve import serve, shutdown  # noqa: E402 # isort: skip
from ennio.http.worker import Worker  # noqa: E402 # isort: skip

COLLECTED = [gc.isenabled()]
os.register_at_fork(before=lambda: COLLECTED.append(gc.isenabled()))
"""Whether the collector of garbage looked: while this was imported, and when the worker was made."""


class Stoppable(SmallSupervisor):
    """It can be stopped, and tells of itself."""

    def status(self) -> dict[str, Any]:
        return super().status() | {
            "pid": os.getpid(),
            "listeners": Worker.sse_connections.open,
            "collected": [*COLLECTED, gc.isenabled()],
            "set_aside": gc.get_freeze_count(),
        }

    def shutdown(self) -> None:
        shutdown()


class Served(SmallOrchestrator):
    """The small orchestrator in a worker."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.supervisor = Stoppable(self.deps, self.clock.now(), shutdown, small=self)


@dataclass
class Running:
    orchestrator: Served

    def stop(self) -> None:
        self.orchestrator.store.close()
        (self.orchestrator.config.directory / "stopped").touch()


def main(directory: Path, port: int) -> int:
    changes: dict[str, Any] = {"port": port, "api_token": os.environ.get("TOKEN")}
    Worker.sse_connections.heartbeat = (
        3600.0  # whatever a stream notices, no heartbeat made it look
    )

    def boot(_config_file: Path, bound: int) -> Running:
        refusal = directory / "refuse"
        if refusal.exists():
            raise Refused(refusal.read_text() or "the database is of a newer version")
        return Running(Served.at(directory, **{**changes, "port": bound}))

    try:
        return serve(configuration(directory, **changes), boot, Home(directory / "home"))
    except EnnioError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
