"""What ``hook.py`` does, in plain sh, for a machine where neither that program nor Python is sure
to be: it keeps what an agent tells in the session's folder, where the next look finds it.

It lays the words down as they came, but for what a tool put out; what of them counts is picked out
when they are read.
``hook.sh status`` is for a status line; it writes the same ``cost.json``. It prints nothing and
never fails: an agent takes a failing hook for a veto.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ennio.machine.interface import Machine
from ennio.plugins.agent import hook, jsonl

_PROGRAM = Path(__file__).with_name("hook.py")
_NAME = "hook.sh"
_TEXT = r"""umask 077
cd -- "$1" 2>/dev/null || exit 0
t=$(date +%s.%N 2>/dev/null)
case $t in *[!0-9.]* | '') t=$(date +%s) ;; esac
told=$(tr -d '\r\n')
if [ "$2" = status ]; then
  name=$(printf '%s' "$told" | sed -n 's/.*"session_id" *: *"\([A-Za-z0-9_-]*\)".*/\1/p')
  total=$(printf '%s' "$told" | sed -n 's/.*"total_cost_usd" *: *\([0-9][0-9.eE+-]*\).*/\1/p')
  [ -n "$name" ] && [ -n "$total" ] || exit 0
  [ "$(sed -n "s/^$name \([^ ]*\) .*/\1/p" costs 2>/dev/null)" != "$total" ] || exit 0
  { grep -v "^$name " costs 2>/dev/null; echo "$name $total $t"; } >"costs.$$"
  mv -f "costs.$$" costs
  limits=$(printf '%s\n' "$told" | awk '{ i = index($0, "\"rate_limits\":"); if (!i) exit
    s = substr($0, i + 14); for (j = 1; j <= length(s); j++) { c = substr(s, j, 1)
      if (c == "{") d++; if (c == "}" && --d == 0) { print substr(s, 1, j); exit } } }')
  all=$(awk '{ printf "%s\"%s\":{\"total\":%s,\"t\":%s}", (NR > 1 ? "," : ""), $1, $2, $3 }' costs)
  printf '{"conversation":"%s","conversations":{%s},"rate_limits":%s}' \
    "$name" "$all" "${limits:-null}" >"cost.$$" && mv -f "cost.$$" cost.json
  exit 0
fi
told=$(printf '%s' "$told" | sed 's/,"tool_response":.*/}/')
printf '{"t":%s,"launch":"%s","told":%s}\n' "$t" "$ENNIO_LAUNCH" "${told:-{\}}" >"hook.$$"
cat "hook.$$" >>hooks.jsonl
rm -f "hook.$$"
for pipe in ../../notify/*; do
  [ -p "$pipe" ] || continue
  (printf '%s\n' "${1##*/}" >&4) </dev/null >/dev/null 2>&1 3<>"$pipe" 4>"$pipe" 3<&- &
done
exit 0
"""
"""A pipe (``machine/ssh/notify_pipe.py``) is written to by a process that no hook waits for. It
is opened both ways first, since that waits for no reader, and written to by an end that is no
reader itself: where nobody reads any more that fails at once, and waits for nobody for good.
"""


def call(machine: Machine, folder: Path) -> str:
    """The command line of a hook, for a shell."""
    if machine.name:
        return shlex.join(["sh", str(folder / _NAME), str(folder)])
    return shlex.join([machine.python, "-I", "-S", str(_PROGRAM), str(folder)])


def files(machine: Machine, folder: Path) -> dict[Path, str]:
    """The files that it needs, with their texts."""
    return {folder / _NAME: _TEXT} if machine.name else {}


def read_on(machine: Machine, file: Path, offset: int) -> tuple[Sequence[Mapping[str, Any]], int]:
    """See ``jsonl.read_on``: what hooks kept, whichever of the two did, as ``hook.py`` does."""
    kept, at = jsonl.read_on(machine, file, offset)
    return [_line(entry) for entry in kept], at


def ending(machine: Machine, file: Path) -> Sequence[Mapping[str, Any]]:
    """See ``jsonl.ending``. Raises OSError."""
    return [_line(entry) for entry in jsonl.ending(machine, file)]


def _line(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    told = entry.get("told")
    if not isinstance(told, dict):
        return entry
    return {**hook.kept(told), "t": entry.get("t"), "launch": entry.get("launch")}
