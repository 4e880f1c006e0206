"""The least a supervisor of terminals does: ``python -m tests.bench.bare.looks SOCKET SECONDS``
asks tmux at each interval.
"""

import subprocess
import sys
import time

from tests.bench.timing import pass_by

if __name__ == "__main__":
    socket, interval = sys.argv[1], float(sys.argv[2])
    while True:
        begun = time.monotonic()
        subprocess.run(
            ("tmux", "-L", socket, "list-panes", "-a", "-F", "#{session_name} #{pane_pid}"),
            capture_output=True,
            check=False,
        )
        pass_by(interval - (time.monotonic() - begun))
