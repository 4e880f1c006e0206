"""``python -m tests.node.generate``: makes the messages of the node anew from its protocol."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MADE = ("ennio_node_pb2.py", "ennio_node_pb2.pyi")
"""Committed beside the node, so that an installation needs no compiler."""


def generate(target: Path) -> None:
    """Make them below a folder, at the place they have in the package."""
    from grpc_tools import protoc

    words = ["protoc", f"-Iennio/node={ROOT / 'proto'}"]
    words += [f"--python_out={target}", f"--pyi_out={target}", "ennio/node/ennio_node.proto"]
    if protoc.main(words) != 0:
        raise SystemExit("the protocol cannot be compiled")


if __name__ == "__main__":
    generate(ROOT)
    sys.exit(0)
