"""Run by ``python -m ennio.cli``, and by the installed command."""

import _signal  # type: ignore[import-not-found]  # not signal: its enums take longer to load than all the rest here
import sys


def main() -> int:
    """Run one command. While it is being loaded, Ctrl-C ends it without a word; from
    then on ``main`` answers it.
    """
    listening = _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler
    if listening:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
    from ennio.cli.command_result import INTERRUPTED
    from ennio.cli.main import main as command

    try:
        if listening:
            _signal.signal(_signal.SIGINT, _signal.default_int_handler)
        return command()
    except KeyboardInterrupt:
        return INTERRUPTED  # between the two, or after the answer
    finally:
        if listening:
            _signal.signal(_signal.SIGINT, _signal.SIG_DFL)


if __name__ == "__main__":
    sys.exit(main())
