"""A file as a commit has it: whether it is there, and how many lines it has."""

from __future__ import annotations

from ennio.model.commented_file import ABSENT, CommentedFile
from ennio.model.review_pack import LARGEST_FILE
from ennio.plugins.git import Git


def commit_file(git: Git, commit: str, path: str) -> CommentedFile:
    """What a commit has at this very path; of a file of more than 10 MiB nobody counts the lines.

    Raises Refused, TimedOut, NotFound as git does.
    """
    # a path is no pattern, and one that ends in a slash is no list of what is in it
    listing = git.run("--literal-pathspecs", "ls-tree", "--full-tree", "-z", commit, "--", path)
    for line in listing.stdout.split("\0"):
        entry, _, name = line.partition("\t")
        if name == path and len(fields := entry.split()) == 3:
            return _counted(git, fields[1], fields[2])
    return ABSENT


def _counted(git: Git, kind: str, name: str) -> CommentedFile:
    if kind != "blob":
        return CommentedFile(there=True, folder=kind == "tree")
    text, cut = git.beginning("cat-file", "blob", name, longest=LARGEST_FILE)
    # lines as they are counted of bytes: those of text end at more characters
    lines = len(text.encode("utf-8", "surrogateescape").splitlines())
    return CommentedFile(there=True, lines=None if cut else lines)
