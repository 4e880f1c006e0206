"""The command line: ``python <this folder> keep DIRECTORY`` or ``python <this folder>
attach DIRECTORY NAME``.
"""

import importlib
import sys
from pathlib import Path

_MODULES = {"keep": "daemon", "attach": "attach"}

if __name__ == "__main__":
    # Python has put this folder there; what is imported below lives above it, installed or not.
    sys.path[0] = str(Path(__file__).absolute().parents[4])
    module = importlib.import_module(f"ennio.plugins.runtime.ptyd.{_MODULES[sys.argv[1]]}")
    sys.exit(module.main(*sys.argv[2:]))
