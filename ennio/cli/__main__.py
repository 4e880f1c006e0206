"""Run by ``python -m ennio.cli``, and by the installed command."""

import sys

from ennio.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
