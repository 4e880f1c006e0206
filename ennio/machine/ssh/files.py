"""Files over there: folders listed, and what changes them."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

from ennio.machine.links import MisplacedLink
from ennio.machine.ssh import errors
from ennio.machine.ssh.facts import MachineFacts
from ennio.machine.ssh.gathered import Change
from ennio.machine.ssh.pool import ShellPool
from ennio.machine.ssh.shell import LARGE
from ennio.machine.ssh.words import joined, quoted
from ennio.model.errors import Refused

_CLOSED = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST, errno.ELOOP)

_A_BYTE = 2e-6  # seconds that a byte may take on the slowest line
_ENTER = rb"""
LC_ALL=C; export LC_ALL
cd -P -- %b 2>/dev/null && [ -r . ] || { ls -ld -- %b/. >/dev/null || exit 1
 echo 'x: Permission denied' >&2; exit 1; }
"""
_REAL = rb"""
ennio_a() { ennio_t=0; ennio_q=$1; ennio_v=; while :; do
 if [ -d "$ennio_q/" ] && ennio_d=$(cd -P -- "$ennio_q" 2>/dev/null && pwd -P); then
 printf '%%s%%s\0' "${ennio_d%%/}" "$ennio_v"; return; fi
 if [ -L "$ennio_q" ] && [ $ennio_t -lt 40 ]; then ennio_t=$((ennio_t+1))
 ennio_l=$(readlink "$ennio_q"); case $ennio_l in /*) ennio_q=$ennio_l;;
 *) ennio_q=${ennio_q%%/*}/$ennio_l;; esac; continue; fi
 case $ennio_q in */*) ennio_v=/${ennio_q##*/}$ennio_v; ennio_q=${ennio_q%%/*};
 [ -n "$ennio_q" ] || { printf '%%s\0' "$ennio_v"; return; };;
 *) ennio_v=/$ennio_q$ennio_v; ennio_q=.;; esac; done; }
for ennio_w in %b; do ennio_a "$ennio_w"; done
"""
_WRITE = rb"""
umask 077; ennio_q=%(path)b; ennio_d=%(draft)b
if [ -d "$ennio_q" ] && ! [ -L "$ennio_q" ]; then echo 'x: Is a directory' >&2; exit 1; fi
[ -d "${ennio_d%%/*}/" ] || { LC_ALL=C ls -ld -- "${ennio_d%%/*}/." >/dev/null; exit 1; }
ennio_u() { rm -f -- "$ennio_d"; exit 1; }
LC_ALL=C; export LC_ALL
{ %(content)b; } > "$ennio_d" || ennio_u
%(mode)b
%(keep)b
%(sync)b
%(move)b "$ennio_d" "$ennio_q" || ennio_u
"""
_NEW = rb"""
umask 077; ennio_q=%(path)b
if [ -e "$ennio_q" ] || [ -L "$ennio_q" ]; then echo 'x: File exists' >&2; exit 1; fi
[ -d "${ennio_q%%/*}/" ] || { LC_ALL=C ls -ld -- "${ennio_q%%/*}/." >/dev/null; exit 1; }
LC_ALL=C; export LC_ALL; set -C
{ : > "$ennio_q"; } 2>/dev/null || { [ -e "$ennio_q" ] && { echo 'x: File exists' >&2; exit 1; }
 : > "$ennio_q"; exit 1; }
set +C; { %(content)b; } > "$ennio_q" || exit 1
%(mode)b
"""
_APPEND = rb"""
umask %(mask)b; ennio_q=%(path)b
if [ -d "$ennio_q" ]; then echo 'x: Is a directory' >&2; exit 1; fi
[ -d "${ennio_q%%/*}/" ] || { LC_ALL=C ls -ld -- "${ennio_q%%/*}/." >/dev/null; exit 1; }
LC_ALL=C; export LC_ALL
{ %(content)b; } >> "$ennio_q" || exit 1
"""
_REMOVE = rb"""
LC_ALL=C; export LC_ALL
for ennio_q in %b; do
if [ -d "$ennio_q" ] && ! [ -L "$ennio_q" ]; then rmdir -- "$ennio_q" || exit 1
elif [ -e "$ennio_q" ] || [ -L "$ennio_q" ]; then rm -f -- "$ennio_q" || exit 1; fi; done
"""
_LINK = rb"""
%(enter)b
ennio_s() { ennio_w=$(pwd -P); [ -L "./$1" ] || mkdir -- "./$1" 2>/dev/null
if [ -L "./$1" ] || ! cd -P -- "./$1" 2>/dev/null || [ "$(pwd -P)" != "${ennio_w%%/}/$1" ]; then
echo "%(bent)b $2" >&2; exit 1; fi; }
%(steps)b
if [ -e %(name)b ] || [ -L %(name)b ]; then
 [ "$(readlink %(name)b; echo x)" = %(to)b"$ennio_t"x ] || { echo 'x: File exists' >&2; exit 1; }
 exit 0; fi
LC_ALL=C ln -s -- %(to)b %(name)b || exit 1
"""
_BENT = "a link, or no folder, on the way:"
_LOCKED = rb"""
ennio_q=%(path)b
[ -e "$ennio_q" ] || { ennio_y=$(ennio_f "$ennio_q"); case $ennio_y in
*'No such file or directory'|*'Not a directory') exit 0;; *) printf '%%s\n' "$ennio_y" >&2; exit 1;;
esac; }
[ -r "$ennio_q" ] || { echo 'x: Permission denied' >&2; exit 1; }
%(look)b
exit 0
"""


class RemoteFiles:
    """See the module."""

    def __init__(self, pool: ShellPool, facts: MachineFacts) -> None:
        self._pool, self._facts = pool, facts

    # --- folders ----------------------------------------------------------------------------------

    def list(self, folder: Path) -> tuple[str, ...]:
        """See ``Machine.list``."""
        return names(self._done(listing(folder), folder))

    def real(self, paths: Sequence[Path]) -> tuple[Path, ...]:
        """See ``Machine.real``."""
        if not paths:
            return ()
        return reals(self._done(resolving(paths), paths[0]))

    def free_disk(self, path: Path) -> int:
        """See ``Machine.free_disk``."""
        body = (
            b'ennio_q=%b; while ! [ -e "$ennio_q" ]; do case $ennio_q in */?*) '
            b"ennio_q=${ennio_q%%/*};; *) ennio_q=/;; esac; ennio_q=${ennio_q:-/}; done\n"
            b'LC_ALL=C df -Pk -- "$ennio_q" | tail -n 1 || exit 1\n'
        ) % quoted(path)
        words = self._done(body, path).split()
        if len(words) < 4 or not words[3].isdigit():
            raise OSError(errno.EIO, "the free space cannot be told", str(path))
        return int(words[3]) * 1024

    # --- changes ----------------------------------------------------------------------------------

    def write(
        self, path: Path, content: bytes, *, mode: int, keep_mode: bool, durable: bool, new: bool
    ) -> None:
        """See ``Machine.write``."""
        parts = {
            b"path": quoted(path),
            b"mode": _mode(mode, b"ennio_q" if new else b"ennio_d"),
            b"content": _given(content),
            b"draft": quoted(path.with_name(f".{path.name[:100]}.{os.urandom(6).hex()}.new")),
            b"move": self._facts.move,
            b"keep": self._keep(path) if keep_mode else b":",
            b"sync": b'sync "$ennio_d" 2>/dev/null || sync' if durable else b":",
        }
        script = (_NEW if new else _WRITE) % parts
        self._made(script, path, content)

    def _keep(self, path: Path) -> bytes:
        form = b"-f %OLp" if b"-f " in self._facts.stat else b"-c %a"
        return (
            b'if ennio_m=$(stat -L %b -- %b 2>/dev/null); then chmod "$ennio_m" "$ennio_d"; fi'
        ) % (form, quoted(path))

    def append(self, path: Path, content: bytes, *, mode: int) -> None:
        """See ``Machine.append``."""
        parts = {
            b"path": quoted(path),
            b"mask": b"%o" % (0o777 & ~mode),
            b"content": _given(content),
        }
        self._made(_APPEND % parts, path, content)

    def copy(self, path: Path, to: Path) -> None:
        """See ``Machine.copy``."""
        self._done(b"LC_ALL=C cp -p -- %b %b\n" % (quoted(path), quoted(to)), path)

    def rename(self, path: Path, to: Path) -> None:
        """See ``Machine.rename``."""
        script = b"[ -e %b ] || [ -L %b ] || { ennio_f %b >&2; exit 1; }\nLC_ALL=C %b %b %b\n"
        one = quoted(path)
        self._made(script % (one, one, one, self._facts.move, one, quoted(to)), path)

    def remove(self, paths: Iterable[Path]) -> None:
        """See ``Machine.remove``."""
        each = tuple(paths)
        if each:
            self._made(_REMOVE % joined(each), each[0])

    def remove_tree(self, folder: Path) -> None:
        """See ``Machine.remove_tree``."""
        name = quoted(folder)
        self._made(b"[ -L %b ] || rm -rf -- %b 2>/dev/null; :\n" % (name, name), folder, more=300)

    def make_folder(self, folder: Path, *, private: bool, new: bool) -> None:
        """See ``Machine.make_folder``."""
        name, mode = quoted(folder), b"-m 700" if private else b""
        if new:
            self._made(b"LC_ALL=C mkdir %b -- %b\n" % (mode, name), folder)
            return
        above = quoted(folder.parent)
        script = (
            b"[ -d %b/ ] || { LC_ALL=C mkdir -p -- %b && { LC_ALL=C mkdir %b -- %b 2>/dev/null || "
            b"[ -d %b/ ] || LC_ALL=C mkdir %b -- %b; }; }\n"
        )
        meant = self._closed if private else None
        self._made(script % (name, above, mode, name, name, mode, name), folder, meant=meant)

    def _closed(self, error: OSError) -> Exception:
        """What it means that no private folder can be made."""
        if error.errno not in _CLOSED:
            return error
        where = f"{error.filename} cannot be made on {self._pool.target.name}"
        return Refused(f"the folder {where}: {error.strerror}")

    def temporary_folder(self) -> Path:
        """See ``Machine.temporary_folder``."""
        above = Path(self._facts.environ.get("TMPDIR") or "/tmp")  # noqa: S108 - its own name
        folder = above / f"ennio-{os.urandom(8).hex()}"
        self.make_folder(folder, private=True, new=True)
        return folder

    def link_below(self, folder: Path, relative: Path, to: Path) -> None:
        """See ``Machine.link_below``."""
        steps = b"".join(
            b"ennio_s %b %d\n" % (quoted(os.fsencode(part)), number)
            for number, part in enumerate(relative.parts[:-1])
        )
        parts = {
            b"enter": _ENTER % (quoted(folder), quoted(folder)),
            b"steps": steps,
            b"name": quoted(f"./{relative.name}"),
            b"to": quoted(to),
            b"bent": _BENT.encode(),
        }
        self._made(_LINK % parts, folder, meant=partial(_misplaced, relative))

    def is_locked(self, path: Path) -> bool:
        """See ``Machine.is_locked``."""
        told = self._done(_LOCKED % {b"path": quoted(path), b"look": self._look_at_lock()}, path)
        return told.strip() == b"held"

    def _look_at_lock(self) -> bytes:
        if self._facts.has_flock:
            return b'flock -s -n "$ennio_q" true; [ $? -eq 0 ] || echo held'
        if self._facts.has_perl:
            return (
                b'perl -e \'open(F,"<",$ARGV[0]) or exit; print "held" unless flock(F,5)\' '
                b'"$ennio_q"'
            )
        return b"echo 'neither flock nor perl is there: Function not implemented' >&2; exit 1"

    # --- within -----------------------------------------------------------------------------------

    def _made(
        self,
        body: bytes,
        path: Path,
        content: bytes = b"",
        meant: Callable[[OSError], Exception] | None = None,
        more: float = 0.0,
    ) -> None:
        """Make a change, or let it wait with others."""
        streamed = _is_streamed(content)
        change = Change(body, path, meant or _plainly)
        if not streamed and self._pool.gathered.add(change):
            if self._pool.gathered.are_many:
                self._pool.ask(b":\n")
            return
        try:
            self._done(body, path, content if streamed else None, more)
        except OSError as error:
            raise change.meant(error) from error

    def _done(
        self, body: bytes, path: Path, stdin: bytes | None = None, more: float = 0.0
    ) -> bytes:
        """What was told; raises the error of the system over there where it failed."""
        more += _A_BYTE * len(stdin or b"")
        answer = self._pool.ask(body, stdin=stdin, more=more)
        if answer.code:
            raise errors.system_error(bytes(answer.err), path)
        return bytes(answer.out)


def listing(folder: Path) -> bytes:
    """The question that ``names`` reads the answer to."""
    return _ENTER % (quoted(folder), quoted(folder)) + (
        b'for ennio_q in * .[!.]* ..?*; do if [ -e "$ennio_q" ] || [ -L "$ennio_q" ]; then '
        b"printf '%s\\0' \"$ennio_q\"; fi; done; exit 0\n"
    )


def names(told: bytes) -> tuple[str, ...]:
    """The names in a folder."""
    return tuple(os.fsdecode(name) for name in told.split(b"\0")[:-1])


def resolving(paths: Sequence[Path]) -> bytes:
    """The question that ``reals`` reads the answer to."""
    return _REAL % joined(paths)


def reals(told: bytes) -> tuple[Path, ...]:
    """The real paths."""
    return tuple(Path(os.path.normpath(os.fsdecode(one))) for one in told.split(b"\0")[:-1])


def finding(program: str, path: str | None) -> bytes:
    """The question that ``found`` reads the answer to."""
    where = b'"$PATH"' if path is None else quoted(path)
    return b"ennio_o %b %b || exit 1\nprintf '%%s\\0' \"$ennio_d\"\n" % (quoted(program), where)


def found(told: bytes, code: int | None) -> str | None:
    """Where the program is."""
    return os.fsdecode(told[:-1]) if code == 0 else None


def _misplaced(relative: Path, error: OSError) -> Exception:
    """What it means that a link cannot be placed."""
    _, bent, number = (error.strerror or "").partition(_BENT)
    if bent:
        return MisplacedLink(relative, relative.parts[int(number)])
    return MisplacedLink(relative) if error.errno == errno.EEXIST else error


def _plainly(error: OSError) -> Exception:
    return error


def _is_streamed(content: bytes) -> bool:
    return len(content) > LARGE or b"\0" in content


def _mode(mode: int, name: bytes) -> bytes:
    """What sets a mode that the mask has not set already."""
    return b":" if mode == 0o600 else b'chmod %o -- "$%b" || exit 1' % (mode, name)


def _given(content: bytes) -> bytes:
    """What puts a content out: a word of the question, or the input of the shell."""
    # through cat: it says what it could not write, where not every shell does
    return b"cat" if _is_streamed(content) else b"printf %%s %b | cat" % quoted(content)
