"""What a clone takes over of the settings of the person's own repository, so that an agent commits
and reaches servers as they do.

Taken over is what was said for that repository alone (its own configuration, and what a condition
like ``includeIf "gitdir:~/work/"`` says of its place): who commits and signs, how a server is
reached, and how files are written. Left out: remotes and branches, which a clone has of its own;
hooks, since a clone runs none; and whatever describes the repository's own folder.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ennio.machine.interface import Machine
from ennio.plugins.git import Git

_SECTIONS = frozenset({
    "user", "author", "committer", "gpg", "commit", "tag",  # who commits, and signs with what
    "http", "https", "url", "credential", "ssh", "protocol", "lfs",  # how a server is reached
    # how files are written, and how branches come together
    "filter", "merge", "diff", "i18n", "pull", "push", "rebase",
})  # fmt: skip
_CORE = frozenset(
    {
        "sshcommand",
        "gitproxy",
        "autocrlf",
        "eol",
        "safecrlf",
        "excludesfile",
        "attributesfile",
        "commentchar",
        "whitespace",
    }
)

Setting = tuple[str, str]


def carried(machine: Machine, source: Path, beside: Path) -> Sequence[Setting]:
    """The settings to take over from one repository, which do not hold already for what
    is made in another folder.
    """
    there, here = (_read(Git(machine, place)) for place in (source, beside))
    known = Counter(here)
    return [one for one in there if _is_wanted(one[0]) and not _taken(known, one)]


def as_environment(machine: Machine, settings: Sequence[Setting]) -> Mapping[str, str]:
    """The settings as an environment for git, after those it may hold already; a command line
    would show them to everybody.
    """
    if not settings:
        return {}
    given = machine.environ.get("GIT_CONFIG_COUNT", "")
    first = int(given) if given.isdigit() else 0
    keys = {f"GIT_CONFIG_KEY_{number}": key for number, (key, _) in enumerate(settings, first)}
    values = {
        f"GIT_CONFIG_VALUE_{number}": value for number, (_, value) in enumerate(settings, first)
    }
    return {**keys, **values, "GIT_CONFIG_COUNT": str(first + len(settings))}


def write(machine: Machine, settings: Sequence[Setting], file: Path) -> None:
    """Add the settings to a configuration file."""
    text = "".join(_lines(key, value) for key, value in settings)
    if text:
        machine.append(file, text.encode("utf-8", "surrogateescape"), mode=0o644)


def _read(git: Git) -> list[Setting]:
    """All settings that hold in a folder, from wherever they come."""
    fields = git.run("config", "--list", "--includes", "-z", check=False).fields
    return [(key, value) for key, _, value in (field.partition("\n") for field in fields)]


def _is_wanted(key: str) -> bool:
    section, _, rest = key.partition(".")
    return rest in _CORE if section == "core" else section in _SECTIONS


def _taken(known: Counter[Setting], one: Setting) -> bool:
    known[one] -= 1
    return known[one] >= 0


def _lines(key: str, value: str) -> str:
    section, _, rest = key.partition(".")
    below, _, name = rest.rpartition(".")
    heading = f'[{section} "{_escaped(below)}"]' if below else f"[{section}]"
    return f'{heading}\n\t{name} = "{_escaped(value)}"\n'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
