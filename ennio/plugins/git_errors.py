"""What git's words mean: who can act on a failure, and whether it is only somebody else's turn."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

from ennio.machine import single
from ennio.machine.interface import Machine
from ennio.machine.search_path import folders_of
from ennio.model.errors import EnnioError, Exhausted, Refused, Unreachable, run_out

_LINES = 12  # of git's own words in an error
_CREDENTIALS = re.compile(
    r"(?<=://)[^/@\s:]*:[^/@\s]*(?=@)|(?<=http://)[^/@\s]+(?=@)|(?<=https://)[^/@\s]+(?=@)"
)
_PERSON = re.compile(
    r"Permission denied|Authentication failed|could not read (Username|Password)|unable to read "
    r"askpass|Repository not found"
    r"|Host key verification failed|does not appear to be a git repository|returned error: "
    r"4(?!29)\d\d|pre-receive hook declined"
    r"|interactivity has been disabled|Cannot prompt because user interactivity",
    re.IGNORECASE,
)
_TIME = re.compile(
    r"Could not resolve (host|proxy)|Temporary failure in name resolution|Connection "
    r"(refused|timed out|reset|closed|aborted)"
    r"|Operation timed out|Network is unreachable|No route to host|Failed to connect|Couldn't "
    r"connect|early EOF|hung up unexpectedly"
    r"|unexpected disconnect|RPC failed|returned error: "
    r"(429|5\d\d)|kex_exchange_identification|Recv failure|transfer closed"
    r"|SSL_ERROR_SYSCALL|gnutls_handshake|Broken pipe|Operation too slow",
    re.IGNORECASE,
)
# The machine has no more of something; it may have again in a moment.
_SPENT = re.compile(
    r"unable to fork|cannot fork|Resource temporarily unavailable|unable to create (async "
    r")?thread(ed)?\b|Too many open files"
    r"|Cannot allocate memory|out of memory|No space left on device|Disk quota exceeded|mmap "
    r"failed",
    re.IGNORECASE,
)
_LOCKED = re.compile(
    r"Unable to create '[^']*\.lock': File exists|could not lock config file [^\n]*: File exists"
)
# A place where nothing may be written: no other time is a better one. What of a push is told by the
# other side is so too.
_SHUT = re.compile(
    r"^(?:remote: )?(?:error|fatal): "
    r"(?=[^\n]*(?:permission|[Cc]reate|mkdir|lock|writ|FETCH_HEAD))(?:"
    r"insufficient permission for adding an object to repository database (?P<objects>\S+)"
    r"|unable to create temporary [\w ]+: (?P<nowhere>Permission denied|Read-only file system)"
    r"|[^\n]*?(?:'(?P<quoted>[^'\n]+)'|(?P<plain>[^\s':]*/[^\s':]*)): "
    r"(?P<why>Permission denied|Read-only file system))$",
    re.MULTILINE,
)
_HALF_MADE = re.compile(
    r"bad object worktrees/[^\n]+/HEAD|failed to read [^\n]*worktrees/[^\n]+/commondir"
)
# git lists all refs and then reads each: one that is deleted in between has no commit. A commit
# that was asked for by its own name is another matter.
_DELETED = re.compile(r"^fatal: bad object (?!HEAD$|[0-9a-f]{40}(?:[0-9a-f]{24})?$)", re.MULTILINE)
# Somebody else moved the same ref in between. A ref that exists where another needs a folder is
# no race: that stays so.
_RACED = re.compile(
    r"cannot lock ref '[^']*': (is at \w+ but expected|reference already exists|reference is "
    r"missing but expected"
    r"|unable to resolve reference|Unable to create "
    r"(?![^\n]*(?:Permission denied|Read-only file system)))"
    r"|incorrect old value provided|shallow file has changed since we read it",
)

# A shell that does not find a filter of .gitattributes (git-lfs, say); what git says after it
# sounds like a lost connection.
_FILTER = re.compile(
    r"^[^\n]*: (?:line )?\d+: (?P<program>[^\s:]+): (?:command )?not found\n"
    r"(?:[^\n]*(?:external filter|the remote end hung "
    r"up)|(?:[^\n]*\n){0,8}?[^\n]*(?:clean|smudge) filter \S+ failed)",
    re.MULTILINE,
)


# Only a folder of this machine is named by its whole path.
_NO_REPOSITORY = re.compile(
    r"'(?P<path>/[^'\n]+)' does not appear to be a git repository|repository "
    r"'(?P<other>/[^'\n]+)' does not exist"
)


def no_repository(machine: Machine, path: Path) -> str:
    """What is said of a repository in a folder of that machine that is not there any more."""
    folder = shlex.quote(str(path))
    try:
        there = single.is_folder(machine, path)
    except OSError:
        there = True  # who may not look there cannot say that it is gone
    state = "is no git repository any more" if there else "is gone: there is no such folder"
    return (
        f"the repository {path} {state}. Nothing in the working copies is lost, and pull requests "
        "stay as they were last seen; "
        "what was merged or pushed there and is in no clone is. Put the folder back; where that "
        "cannot be, make it anew "
        f"in a clone of yours that is up to date: git clone --bare . {folder}"
    )


def _nothing_written(machine: Machine, place: object, shut: re.Match[str]) -> str:
    """Where nothing can be written, why, and the command that opens it, for whichever machine;
    empty where the other side of a push does not say where it is.
    """
    found = shut["quoted"] or shut["plain"] or shut["objects"] or ""
    if shut[0].startswith("remote: ") and not found.startswith("/"):
        return ""
    folder = _standing(machine, _repository_of(Path(str(place)) / found))
    quoted, repository = shlex.quote(str(folder)), folder.suffix == ".git" or folder.name == ".git"
    if "Read-only" in (shut["why"] or shut["nowhere"] or ""):
        return (
            f"can write nothing: {folder} lies on a read-only disk; it is opened by: sudo mount "
            f'-o remount,rw "$(findmnt -no TARGET -T {quoted})"'
        )
    ways = [f"chmod {'-R u+rwX' if repository else 'u+rwx'} {quoted}"]
    if repository:
        ways.append(f'where it is somebody else\'s: sudo chown -R "$(id -un)" {quoted}')
    return (
        f"can write nothing: permission is denied at {folder}; it is opened by: "
        f"{'   or '.join(ways)}"
    )


def _repository_of(path: Path) -> Path:
    """The folder of the repository that a path lies in; the path where that cannot be told."""
    around = (one for one in (path, *path.parents) if one.suffix == ".git" or one.name == ".git")
    return next(around, path)


def _standing(machine: Machine, path: Path) -> Path:
    """The nearest folder that is there."""
    for folder in (path, *path.parents):
        try:
            if single.is_folder(machine, folder):
                return folder
        except OSError:
            continue  # who may not look there, may not write there
    return path


def is_locked(words: str) -> bool:
    """Whether another git holds a lock; it is soon over."""
    return bool(_LOCKED.search(words))


def is_half_made(words: str) -> bool:
    """Whether a worktree stood in the way that another git is making or removing: it counts among
    the refs, and leads nowhere yet, or a file of it is there and empty.
    """
    return bool(_HALF_MADE.search(words))


def is_deleted_meanwhile(words: str) -> bool:
    """Whether a ref was met that another git deletes, among those that git listed itself."""
    return bool(_DELETED.search(words))


def is_race(words: str) -> bool:
    """Whether another git moved what this one was about to move."""
    return bool(_RACED.search(words))


def failure(machine: Machine, command: str, place: object, code: int, words: str) -> EnnioError:
    """The error a failed command amounts to: Exhausted, Unreachable for what
    time mends, else Refused.
    """
    text = (
        "\n".join(line.rpartition("\r")[2] for line in words.strip("\n").split("\n")).strip()
        or "it said nothing"
    )
    how = f"was ended by signal {-code}" if code < 0 else f"failed ({code})"
    said = "\n".join(text.splitlines()[-_LINES:])
    if gone := _NO_REPOSITORY.search(text):
        return Refused(
            readable(redacted(no_repository(machine, Path(gone["path"] or gone["other"]))))
        )
    if (shut := _SHUT.search(text)) and (where := _nothing_written(machine, place, shut)):
        return Refused(readable(redacted(f"{command} in {place} {where}; git says: {shut[0]}")))
    missing = _FILTER.search(text)
    if missing:
        needs = (
            f"needs the filter {missing['program']}, which is not installed or not on the PATH "
            f"({folders_of(machine.environ.get('PATH', ''))})"
        )
        return Refused(
            readable(
                redacted(
                    f"{command} in {place} {needs}: install it, and start the supervisor where it "
                    f"is found; {said}"
                )
            )
        )
    kind = (
        Exhausted
        if _SPENT.search(text)
        else Unreachable
        if code < 0 or _is_passing(text)
        else Refused
    )
    return kind(readable(redacted(f"{command} in {place} {how}: {said}")))


def _is_passing(text: str) -> bool:
    if is_locked(text) or is_race(text):
        return True
    return bool(_TIME.search(text)) and not _PERSON.search(text)


def not_begun(error: OSError) -> EnnioError:
    """The error it amounts to that git could not even be started."""
    if isinstance(error, FileNotFoundError):
        return Refused("git is not installed, or not on the PATH: install it")
    return run_out(error) or Refused(f"git cannot be started: {error.strerror or error}")


def readable(text: str) -> str:
    """The text as one that can be stored and shown: bytes that are not
    UTF-8 are written as escapes.
    """
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def redacted(text: str) -> str:
    """The text without the credentials that addresses in it carry."""
    return _CREDENTIALS.sub("***", text)
