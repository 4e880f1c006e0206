"""The small programs that put an ennio-node on another machine: POSIX sh, and one for the Python
that is found there. What they are told comes as arguments, and never becomes syntax.
"""

from __future__ import annotations

from dataclasses import dataclass

from ennio.model.errors import Refused
from ennio.node.bundle import Target

LOOK = r"""
root=$1; program=$2
for python in python3 python3.14 python3.13 python3.12 python3.11; do
    command -v "$python" >/dev/null 2>&1 || continue
    "$python" -I -c '
import os, sys
libc = os.confstr("CS_GNU_LIBC_VERSION") if "CS_GNU_LIBC_VERSION" in os.confstr_names else ""
print("python", sys.executable, "%d.%d" % sys.version_info[:2], os.uname().machine,
      (libc or "").replace("glibc ", "") or "-", sep="\t")
' 2>/dev/null
done
printf 'system\t%s\n' "$(uname -s)"
for each in git tmux; do
    command -v "$each" >/dev/null 2>&1 && printf 'has\t%s\n' "$each"
done
for each in "$root"/programs/*/digest; do
    [ -r "$each" ] && printf 'digest\t%s\t%s\n' "$(cat "$each")" "${each%/digest}/bin/ennio-node"
done
[ -z "$program" ] || { [ -x "$program" ] && printf 'program\t%s\n' "$program"; }
exit 0
"""
"""What is there: every Python, git and tmux, and each ennio-node that was put there before."""

INSTALL = r"""
import os, shutil, sys, venv, zipfile
archive, to, digest = sys.argv[1:]
part = to + ".part"
shutil.rmtree(part, ignore_errors=True)
venv.EnvBuilder(symlinks=True, with_pip=False).create(part)
lib = os.path.join(part, "lib", "python%d.%d" % sys.version_info[:2], "site-packages")
with zipfile.ZipFile(archive) as files:
    files.extractall(lib)
program = os.path.join(part, "bin", "ennio-node")
with open(program, "w") as file:
    file.write('#!/bin/sh\nexec "${0%/*}/python" -I -m ennio.node "$@"\n')
os.chmod(program, 0o755)
with open(os.path.join(part, "digest"), "w") as file:
    file.write(digest)
shutil.rmtree(to, ignore_errors=True)
os.rename(part, to)
os.remove(archive)
os.utime(to)
above = os.path.dirname(to)
kept = sorted((os.path.join(above, each) for each in os.listdir(above)), key=os.path.getmtime)
for old in kept[:-3]:
    shutil.rmtree(old, ignore_errors=True)
"""
"""Unpacks it into an environment of its own, whole or not at all; the last three stay, since agents
that were started by one go on with its programs.
"""

START = r"""
umask 077
program=$1; port=$2; idle=$3; root=$4; token=$5; log=$6
cd / || exit 1
ENNIO_NODE_AUTH_TOKEN=$(cat "$token") || exit 1
export ENNIO_NODE_AUTH_TOKEN
rm -f "$token"
set -- "$program" --port "$port" --idle-timeout "$idle" --workspace-root "$root"
command -v setsid >/dev/null 2>&1 && set -- setsid "$@"
[ ! -f "$log" ] || [ "$(wc -c <"$log")" -lt 1000000 ] || mv -f "$log" "$log.1"
nohup "$@" </dev/null >>"$log" 2>&1 &
echo "$!"
"""
"""Starts it so that no end of the connection ends it, and says its number; the token is in nobody's
command line.
"""


@dataclass(frozen=True, slots=True)
class Found:
    """What a look found: each Python with what it runs on, what else there is, and where the
    ennio-nodes are that were put there, by their digests.
    """

    pythons: tuple[tuple[str, Target], ...]
    system: str
    has: frozenset[str]
    programs: dict[str, str]
    named: bool

    @classmethod
    def read(cls, told: str) -> Found:
        """From the lines of the look; a banner of the login is passed over."""
        rows = [line.split("\t") for line in told.splitlines()]
        return cls(
            tuple((row[1], _target(row)) for row in rows if row[0] == "python" and len(row) == 5),
            next((row[1] for row in rows if row[0] == "system" and len(row) == 2), ""),
            frozenset(row[1] for row in rows if row[0] == "has" and len(row) == 2),
            {row[1]: row[2] for row in rows if row[0] == "digest" and len(row) == 3},
            any(row[0] == "program" for row in rows),
        )

    def python(self, host: str) -> tuple[str, Target]:
        """The one to use. Raises Refused where none is new enough, with the way out."""
        fits = [one for one in self.pythons if _number(one[1].python) >= (3, 11)]
        if fits:
            return fits[0]
        seen = ", ".join(f"{path} ({one.python})" for path, one in self.pythons) or "none at all"
        raise Refused(
            f"an ennio-node needs Python 3.11 or newer, and {host} has {seen}: install one there "
            "(Debian 12 and Ubuntu 24.04: sudo apt-get install python3), or name an ennio-node in "
            "ennio_binary_path"
        )

    def lacks(self, host: str) -> str:
        """What is missing there that agents will need, with what helps; empty when nothing is."""
        missing = sorted({"git", "tmux"} - self.has)
        if not missing:
            return ""
        return f"{host} has no {' and no '.join(missing)}: sudo apt-get install {' '.join(missing)}"


def _target(row: list[str]) -> Target:
    return Target(row[2], row[3], "" if row[4] == "-" else row[4])


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
