"""The demo: the whole story of a few sessions, offline, with real git, real
processes and a real supervisor.
"""

from ennio.demo.play import declare, main

__all__ = ["declare", "main"]
