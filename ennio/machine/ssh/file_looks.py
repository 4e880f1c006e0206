"""Files over there, looked at and read many at once."""

from __future__ import annotations

import contextlib
import errno
import re
import stat as modes
from collections.abc import Sequence
from pathlib import Path

from ennio.machine.interface import FileKind, FilePart, FileSpan, FileState
from ennio.machine.ssh import errors
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.words import joined, quoted
from ennio.model.errors import Unreachable

_KINDS = {
    modes.S_IFREG: FileKind.FILE,
    modes.S_IFDIR: FileKind.FOLDER,
    modes.S_IFLNK: FileKind.LINK,
}
A_BYTE = 2e-6  # seconds that a byte may take on the slowest line
_LOOK = rb"""
ennio_g() { ennio_k=; ennio_i=0
for ennio_q do shift; if [ -e "$ennio_q" ]%(links)b; then set -- "$@" "$ennio_q"
 ennio_k="$ennio_k $ennio_i"; else printf '%%s-%%d ' "$ennio_n" "$ennio_i"
 ennio_f "$ennio_q"; fi; ennio_i=$((ennio_i+1)); done
[ $# -eq 0 ] || { ennio_s=$(%(stat)b -- "$@" 2>/dev/null)
 printf '%%s=%%s\n%%s\n' "$ennio_n" "$ennio_k" "$ennio_s"; %(more)b; }; }
ennio_g %(paths)b
"""
"""For each path why it is not there, and then the states of those that are, in one line each."""
_READ = rb"""
exec 8<<ENNIO
$ennio_s
ENNIO
for ennio_i in $ennio_k; do IFS=' ' read -r ennio_a ennio_b ennio_c ennio_z ennio_v <&8 || break
ennio_q=$1; shift
eval "ennio_w=\$ennio_w$ennio_i ennio_m=\$ennio_m$ennio_i"
[ "$ennio_w" -ge 0 ] || { ennio_w=$((ennio_z+ennio_w)); [ "$ennio_w" -ge 0 ] || ennio_w=0; }
if ! [ -f "$ennio_q" ]; then printf '%s!%d %s\n' "$ennio_n" $ennio_i 'Invalid argument'
elif ! [ -r "$ennio_q" ]; then printf '%s!%d %s\n' "$ennio_n" $ennio_i 'Permission denied'
else printf '%s+%d %d\n' "$ennio_n" $ennio_i $ennio_w
 if [ "$ennio_z" -gt "$ennio_w" ] && [ "$ennio_m" -gt 0 ]; then ennio_u=y
 ennio_x "$ennio_q" $ennio_w $ennio_m 2>/dev/null; fi; fi; done; exec 8<&-
"""
_AGAIN = rb"""
[ -z "$ennio_u" ] || { printf '%%s~\n' "$ennio_n"; %(stat)b -- %(paths)b 2>/dev/null; }
"""
_HELD = rb"""
ennio_q=%(path)b; ennio_w=%(offset)d; %(read)b
ennio_u() { echo "x: $1" >&2; exit 1; }
%(links)b
[ -e "$ennio_q" ] || { ennio_f "$ennio_q" >&2; exit 1; }
[ -f "$ennio_q" ] || ennio_u 'Invalid argument'
[ -r "$ennio_q" ] || ennio_u 'Permission denied'
exec 7<"$ennio_q" || exit 1
ennio_s=$(%(stat)b /dev/fd/7) || exit 1
ennio_z=${ennio_s#* * * }; ennio_z=${ennio_z%%%% *}
[ "$ennio_w" -ge 0 ] || { ennio_w=$((ennio_z+ennio_w)); [ "$ennio_w" -ge 0 ] || ennio_w=0; }
printf '%%s\n%%d\n%%s\n' "$ennio_s" "$ennio_w" "$ennio_n"
[ "$ennio_z" -le "$ennio_w" ] || [ %(most)d -eq 0 ] || ennio_x /dev/fd/7 $ennio_w %(most)d
exit 0
"""
_BLOCKS = rb"""ennio_u=; ennio_x() {
 dd if="$1" iflag=skip_bytes,count_bytes skip=$2 count=$3 bs=65536 status=none; }
"""
_TAILS = b"""ennio_u=; ennio_x() { tail -c +$(($2+1)) -- "$1" | head -c $3; }
"""


class FileLooks:
    """See the module."""

    def __init__(self, pool: ShellPool, facts: MachineFacts) -> None:
        self._pool, self._facts = pool, facts

    # --- looks ------------------------------------------------------------------------------------

    def stat(self, paths: Sequence[Path], *, follow: bool) -> tuple[FileState | OSError, ...]:
        """See ``Machine.stat``."""
        if not paths:
            return ()
        found = self._looked(paths, follow=follow)
        if found is None and len(paths) == 1:
            return (self._alone(paths[0], follow=follow),)
        if found is None:  # one went away between two steps: each by itself
            return tuple(self.stat([path], follow=follow)[0] for path in paths)
        return found

    def _looked(
        self, paths: Sequence[Path], *, follow: bool
    ) -> tuple[FileState | OSError, ...] | None:
        answer = self._pool.ask(self.look(paths, follow=follow))
        return states(answer.nonce, bytes(answer.out), paths)

    def look(self, paths: Sequence[Path], *, follow: bool) -> bytes:
        """The question that ``states`` reads the answer to."""
        return self._look(paths, follow=follow, more=b":")

    def _look(self, paths: Sequence[Path], *, follow: bool, more: bytes) -> bytes:
        return _LOOK % {
            b"links": b"" if follow else b' || [ -L "$ennio_q" ]',
            b"stat": self._stat(follow=follow),
            b"paths": joined(paths),
            b"more": more,
        }

    def _stat(self, *, follow: bool) -> bytes:
        return self._facts.stat + (b" -L" if follow else b"")

    def _alone(self, path: Path, *, follow: bool) -> FileState | OSError:
        body = b"%b -- %b" % (self._stat(follow=follow), quoted(path))
        answer = self._pool.ask(body)
        if answer.code:
            return errors.system_error(bytes(answer.err), path)
        return _state(bytes(answer.out).split())

    # --- reading ----------------------------------------------------------------------------------

    def read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...]:
        """See ``Machine.read``."""
        if not wanted:
            return ()
        if len({span.follow for span in wanted}) > 1:
            return tuple(self.read([span])[0] for span in wanted)
        found = self._read(wanted)
        return tuple(map(self._held, wanted)) if found is None else found

    def _held(self, span: FileSpan) -> FilePart | OSError:
        """Read a file that is replaced again and again: by what was opened, not by its name."""
        body = _HELD % {
            b"path": quoted(span.path),
            b"links": b"" if span.follow else b'[ -L "$ennio_q" ] && ennio_u "Symbolic link loop"',
            b"offset": span.offset,
            b"most": span.most,
            b"stat": self._stat(follow=True),
            b"read": _BLOCKS if self._facts.dd else _TAILS,
        }
        answer = self._pool.ask(body, more=A_BYTE * span.most)
        if answer.code:
            return errors.system_error(bytes(answer.err), span.path)
        told, _, data = bytes(answer.out).partition(answer.nonce + b"\n")
        state, offset = told.split(b"\n")[:2]
        return FilePart(data, int(offset), _state(state.split()))

    def _read(self, wanted: Sequence[FileSpan]) -> tuple[FilePart | OSError, ...] | None:
        """None where one of them was replaced meanwhile."""
        more = A_BYTE * sum(min(span.most, 1 << 26) for span in wanted)
        answer = self._pool.ask(self.reading(wanted), more=more)
        return parts(answer.nonce, bytes(answer.out), wanted)

    def reading(self, wanted: Sequence[FileSpan]) -> bytes:
        """The question that ``parts`` reads the answer to; links are followed in all of them or
        in none.
        """
        follow = wanted[0].follow
        paths = [span.path for span in wanted]
        numbers = b"".join(
            b"ennio_w%d=%d ennio_m%d=%d\n" % (at, span.offset, at, span.most)
            for at, span in enumerate(wanted)
        )
        tools = _BLOCKS if self._facts.dd else _TAILS
        body = numbers + tools + self._look(paths, follow=follow, more=b'ennio_v "$@"')
        body = b"ennio_v() {\n%b}\n" % _READ + body
        return body + _AGAIN % {b"stat": self._stat(follow=follow), b"paths": joined(paths)}


def _state(words: Sequence[bytes]) -> FileState:
    raw, device, number, size, modified, mode, owner = words
    kind = _KINDS.get(modes.S_IFMT(int(raw, 16)), FileKind.OTHER)
    return FileState(
        kind,
        (int(device), int(number)),
        int(size),
        _nanoseconds(modified),
        int(mode, 8),
        int(owner),
    )


def _nanoseconds(text: bytes) -> int:
    whole, _, part = text.partition(b".")
    return int(whole) * 10**9 + int((part + b"0" * 9)[:9])


def states(
    nonce: bytes, told: bytes, paths: Sequence[Path]
) -> tuple[FileState | OSError, ...] | None:
    """What a look told; None where one of them went away between two steps."""
    found: dict[int, FileState | OSError] = {}
    for match in re.finditer(re.escape(nonce) + rb"-(\d+) ([^\n]*)\n", told):
        at = int(match[1])
        found[at] = errors.system_error(match[2], paths[at])
    listed = re.search(re.escape(nonce) + rb"=([ \d]*)\n((?:[^\n]*\n)*)", told)
    if listed is not None:
        indices, lines = listed[1].split(), listed[2].split(b"\n")
        for index, line in zip(indices, lines, strict=False):
            with contextlib.suppress(ValueError):
                found[int(index)] = _state(line.split())
    if len(found) != len(paths):
        return None
    return tuple(found[at] for at in range(len(paths)))


def parts(
    nonce: bytes, told: bytes, wanted: Sequence[FileSpan]
) -> tuple[FilePart | OSError, ...] | None:
    """Put together what was read; None where a file was not the same before and after."""
    paths = [span.path for span in wanted]
    head, *pieces = re.split(re.escape(nonce) + rb"(?=[+!~])", told)
    seen = states(nonce, head, paths)
    if seen is None:
        return None
    found: dict[int, FilePart | OSError] = {}
    after: list[bytes] = []
    for piece in pieces:
        line, _, rest = piece.partition(b"\n")
        if line.startswith(b"~"):
            after = rest.split(b"\n")
            continue
        number, _, word = line[1:].partition(b" ")
        state = seen[int(number)]
        if isinstance(state, OSError):
            raise Unreachable("what was told of a file makes no sense")
        if line.startswith(b"!"):
            found[int(number)] = errors.system_error(word, paths[int(number)])
        else:
            found[int(number)] = FilePart(rest, int(word), state)
    read = [found.get(at, state) for at, state in enumerate(seen)]
    present = [at for at, state in enumerate(seen) if not isinstance(state, OSError)]
    if after and not _are_same([seen[at] for at in present], after):
        return None
    return tuple(_judged(span, one) for span, one in zip(wanted, read, strict=True))


def _are_same(before: Sequence[FileState | OSError], after: Sequence[bytes]) -> bool:
    now = [_state(line.split()).identity for line in after if line.strip()]
    return now == [one.identity for one in before if isinstance(one, FileState)]


def _judged(span: FileSpan, found: FilePart | FileState | OSError) -> FilePart | OSError:
    if isinstance(found, FileState):
        return OSError(errno.EINVAL, "it is no regular file", str(span.path))
    if isinstance(found, FilePart) and found.state.kind is FileKind.LINK:
        return errors.failure(errno.ELOOP, span.path)
    return found
