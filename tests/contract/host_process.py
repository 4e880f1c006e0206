"""``host_process.py SOCKET HOME``: a host in a process of its own, as a node
will be; without gevent.
"""

from __future__ import annotations

import socket
import sys
from pathlib import Path

from ennio.hosts.plugin_host import PluginHost
from ennio.hosts.server import HostServer
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.plugins.registry import Registry


def main(place: str, root: str) -> None:
    clock, home = SystemClock(), Home(Path(root))
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(place)
    listener.listen()
    HostServer(
        PluginHost(Registry(home, clock), home, clock, "elsewhere"), listener, beat=0.2
    ).serve()


if __name__ == "__main__":
    main(*sys.argv[1:])
