"""The supervisor as it is, but for one thing: whether a cookie still counts is looked at every
second, and not every twenty, where somebody looks at a terminal.
"""

# The order is the point: what is imported before the patch keeps the blocking versions for good.
from gevent import monkey

monkey.patch_all()

import sys  # noqa: E402

from ennio import supervise  # noqa: E402
from ennio.http import terminal_viewer  # noqa: E402

if __name__ == "__main__":
    terminal_viewer.PING = 1.0
    sys.exit(supervise.main())
