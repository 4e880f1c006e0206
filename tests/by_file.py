"""How the pure tests are shared out among processes: by file, and those that read all sources to
the same one, since to read them takes longer than to judge them.
"""

from __future__ import annotations

from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

READERS = ("architecture", "names", "named_commands", "requirements", "incidents")
"""Files of tests that ask ``architecture.nodes`` for trees."""


class FileScheduling(LoadFileScheduling):
    """The tests of a file stay together."""

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)


def scope_of(nodeid: str) -> str:
    """What goes to the same process as this test has the same name."""
    file = nodeid.partition("::")[0]
    return "sources" if file in {f"tests/test_{name}.py" for name in READERS} else file
