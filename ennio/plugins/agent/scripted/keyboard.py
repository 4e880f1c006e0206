"""Bytes of a terminal as what a person means by them. Pure; the standard library only."""

from __future__ import annotations

_BEGIN, _END = b"\x1b[200~", b"\x1b[201~"
INTERRUPT, LEAVE = "interrupt", "leave"


class Keyboard:
    """One input line, edited by keys and pastes; a paste of many lines is one text until Enter.

    ``feed`` returns pairs: ``("text", what was submitted)``, ``("interrupt",
    "")``, ``("leave", "")``.
    """

    # no dataclass here: importing them takes 3 MB, and the player runs two
    # hundred times side by side
    __slots__ = ("_paste", "_rest", "line")

    def __init__(self) -> None:
        self.line = bytearray()
        self._rest = bytearray()
        self._paste: bytearray | None = None

    def feed(self, data: bytes) -> list[tuple[str, str]]:
        """What these bytes complete; an unfinished sequence waits for more."""
        self._rest += data
        done: list[tuple[str, str]] = []
        while self._rest and self._step(done):
            pass
        return done

    @property
    def is_waiting(self) -> bool:
        """Whether a lone Escape may be the key, or the beginning of a sequence: time will tell."""
        return self._paste is None and self._rest == b"\x1b"

    def settle(self) -> list[tuple[str, str]]:
        """Nothing followed the Escape: it was the key."""
        self._rest.clear()
        return [(INTERRUPT, "")]

    def _step(self, done: list[tuple[str, str]]) -> bool:
        if self._paste is not None:
            return self._pasted()
        if self._rest[0] == 0x1B:
            return self._escape(done)
        self._key(self._rest[0], done)
        del self._rest[0]
        return True

    def _pasted(self) -> bool:
        paste = self._paste if self._paste is not None else bytearray()
        end = self._rest.find(_END)
        # an end that has begun to arrive must not be taken for text
        upto = end if end >= 0 else len(self._rest) - _begun(self._rest)
        paste += self._rest[:upto]
        del self._rest[: upto + (len(_END) if end >= 0 else 0)]
        if end >= 0:
            self.line += bytes(paste).replace(b"\r\n", b"\n").replace(b"\r", b"\n")
            self._paste = None
        return end >= 0

    def _escape(self, done: list[tuple[str, str]]) -> bool:
        if len(self._rest) == 1:
            return False
        if self._rest[1] not in b"[O":
            done.append((INTERRUPT, ""))
            del self._rest[0]
            return True
        if self._rest.startswith(_BEGIN):
            del self._rest[: len(_BEGIN)]
            self._paste = bytearray()
            return True
        final = next(
            (at for at in range(2, len(self._rest)) if 0x40 <= self._rest[at] <= 0x7E), None
        )
        if final is not None:
            del self._rest[: final + 1]
        return final is not None

    def _key(self, key: int, done: list[tuple[str, str]]) -> None:
        if key in b"\r\n":
            text = self.line.decode(errors="replace").strip()
            self.line.clear()
            if text:
                done.append(("text", text))
        elif key == 0x03:
            self.line.clear()
            done.append((INTERRUPT, ""))
        elif key == 0x04 and not self.line:
            done.append((LEAVE, ""))
        elif key == 0x15:
            self.line.clear()
        elif key in b"\x7f\x08":
            self.line[:] = self.line.decode(errors="replace")[:-1].encode()
        elif key >= 0x20 or key == 0x09:
            self.line.append(key)


def _begun(data: bytes | bytearray) -> int:
    return next((size for size in range(len(_END) - 1, 0, -1) if data.endswith(_END[:size])), 0)
