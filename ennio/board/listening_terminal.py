"""blessed's terminal, with what it is to hear switched on without asking first."""

from __future__ import annotations

import blessed
from blessed.dec_modes import DecModeResponse

from ennio.board.printing import screen

_PASTES = (2004,)
_CLICKS = (1000, 1006)


class ListeningTerminal(blessed.Terminal):
    """blessed switches on what a terminal says it has, and nothing under NO_COLOR. tmux and screen
    have pastes and clicks and say nothing: what was pasted there came as keys, and did what they
    do. Who has none of these leaves out what it does not know.
    """

    def listen(self, *, mouse: bool) -> None:
        """From now on a paste comes as one, and a click as where it was."""
        modes = (*_PASTES, *(_CLICKS if mouse else ()))
        screen("".join(f"\x1b[?{mode}h" for mode in modes))
        for mode in modes:
            self._dec_mode_cache[mode] = DecModeResponse.SET
