"""Which files conflict: GitHub does not say it, a clone may."""

from __future__ import annotations

from pathlib import Path

from ennio.machine.local import LocalMachine
from ennio.model.errors import EnnioError
from ennio.plugins.git import Git


def conflicting(clone: Path, head: str, base: str) -> tuple[str, ...]:
    """The files in which two commits conflict, by a trial merge in a clone;
    empty when it cannot tell.
    """
    git = Git(LocalMachine(), clone)
    try:
        if not all(
            git.run("cat-file", "-e", f"{commit}^{{commit}}", check=False).ok
            for commit in (head, base)
        ):
            # an empty refmap: the person's remote-tracking branches stay where they are
            options = (
                "--progress",
                "--no-tags",
                "--no-write-fetch-head",
                "--no-recurse-submodules",
                "--refmap=",
            )
            git.run("fetch", *options, "origin", base, head, timeout=60, check=False)
        trial = git.run(
            "merge-tree",
            "--write-tree",
            "--name-only",
            "--no-messages",
            "-z",
            base,
            head,
            check=False,
        )
    except EnnioError:
        return ()
    return tuple(dict.fromkeys(trial.fields[1:])) if trial.code == 1 else ()
