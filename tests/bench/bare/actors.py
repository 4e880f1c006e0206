"""Prints how many KiB an actor takes that has nothing to do."""

from gevent import monkey

monkey.patch_all()

import gevent  # noqa: E402
import psutil  # noqa: E402

from ennio.actors.actor import Actor  # noqa: E402

MANY = 5000


def _own() -> int:
    return int(psutil.Process().memory_full_info().uss)


if __name__ == "__main__":
    before = _own()
    actors = [Actor.start(f"actor {number}") for number in range(MANY)]
    gevent.sleep(0.1)
    print((_own() - before) / len(actors) / 1024)
