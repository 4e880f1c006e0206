"""Passes requests on and does nothing else: ``python -m tests.bench.bare.passing PORT UPSTREAM``."""

from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402
from collections.abc import Iterator  # noqa: E402
from typing import Any  # noqa: E402

import urllib3  # noqa: E402

from tests.bench.bare.serving import serve  # noqa: E402

POOL = urllib3.PoolManager(num_pools=1, maxsize=64, retries=False)


def passed(environ: Any, start: Any) -> Iterator[bytes]:
    """What the other says."""
    answer = POOL.request(
        environ["REQUEST_METHOD"],
        sys.argv[2] + environ["PATH_INFO"],
        body=environ["wsgi.input"].read(),
        headers={"Content-Type": "application/json"},
        preload_content=False,
    )
    start("200 OK", [("Content-Type", answer.headers["Content-Type"])])
    while piece := answer.read1(65536):
        yield piece
    answer.release_conn()


if __name__ == "__main__":
    serve(int(sys.argv[1]), passed)
