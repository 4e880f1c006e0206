"""What an agent leaves in its working copy for whoever runs git there next: nothing of it is run
outside of the sandbox, whatever Ennio does with the copy.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ennio.hosts.brief import BranchAt, Brief, MergePair, SandboxSpec
from ennio.model.errors import EnnioError
from ennio.model.workspace_changes import Until
from tests.sandbox.bench import SECRET, Bench, bench

Plant = Callable[[Path, str], None]


@pytest.fixture(scope="module")
def ground() -> Iterator[Bench]:
    with bench() as made:
        yield made


def _set(copy: Path, text: str) -> None:
    with (copy / ".git" / "config").open("a") as file:
        file.write(text)


def _attributes(copy: Path, line: str) -> None:
    with (copy / ".gitattributes").open("a") as file:
        file.write(line)


def _program(path: Path, mark: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
    path.chmod(0o755)


def a_clean_filter(copy: Path, mark: str) -> None:
    _set(copy, f'[filter "x"]\n\tclean = "touch {mark}; cat"\n\trequired = true\n')
    _attributes(copy, "* filter=x\n")


def a_filter_process(copy: Path, mark: str) -> None:
    _set(copy, f'[filter "x"]\n\tprocess = "touch {mark}"\n')
    _attributes(copy, "* filter=x\n")


def an_attribute_file_in_git(copy: Path, mark: str) -> None:
    _set(copy, f'[filter "x"]\n\tclean = "touch {mark}; cat"\n')
    (copy / ".git" / "info").mkdir(exist_ok=True)
    (copy / ".git" / "info" / "attributes").write_text("* filter=x\n")


def a_file_monitor(copy: Path, mark: str) -> None:
    _program(copy / "monitor", mark)
    _set(copy, f'[core]\n\tfsmonitor = "{copy}/monitor"\n')


def hooks(copy: Path, mark: str) -> None:
    for name in ("post-index-change", "reference-transaction", "pre-commit", "pre-auto-gc"):
        _program(copy / ".git" / "hooks" / name, mark)


def a_path_of_hooks(copy: Path, mark: str) -> None:
    _set(copy, f'[core]\n\thooksPath = "{copy}/hooks"\n')
    for name in ("post-index-change", "reference-transaction"):
        _program(copy / "hooks" / name, mark)


def a_text_converter(copy: Path, mark: str) -> None:
    _set(copy, f'[diff "x"]\n\ttextconv = "touch {mark}; cat"\n\tcommand = "touch {mark}"\n')
    _attributes(copy, "* diff=x\n")


def a_program_for_diffs(copy: Path, mark: str) -> None:
    _program(copy / "differ", mark)
    _set(copy, f'[diff]\n\texternal = "{copy}/differ"\n')


def a_merge_driver(copy: Path, mark: str) -> None:
    _set(copy, f'[merge "x"]\n\tdriver = "touch {mark}"\n')
    _attributes(copy, "* merge=x\n")


def a_signing_program(copy: Path, mark: str) -> None:
    _program(copy / "gpg", mark)
    _set(
        copy,
        f'[gpg]\n\tprogram = "{copy}/gpg"\n[commit]\n\tgpgSign = true\n[user]\n\tsigningKey = x\n'
        "[log]\n\tshowSignature = true\n",
    )


def a_way_to_the_server(copy: Path, mark: str) -> None:
    _git(copy, "config", "core.sshCommand", f"touch {mark}; false")
    _lose_a_blob(copy, "ssh://nowhere.invalid/x")


def a_transport_of_its_own(copy: Path, mark: str) -> None:
    _git(copy, "config", "protocol.ext.allow", "always")
    _lose_a_blob(copy, f"ext::touch {mark}")


def _lose_a_blob(copy: Path, url: str) -> None:
    """What is missing is fetched by whoever looks for it."""
    _set(copy, "[user]\n\tname = Planter\n\temail = p@x\n")
    (copy / "lost.txt").write_text("lost\n")
    _git(copy, "add", "lost.txt")
    _git(copy, "commit", "-qm", "Lose something")
    blob = _git(copy, "rev-parse", "HEAD:lost.txt").strip()
    (copy / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    (copy / "lost.txt").write_text("another\n")
    for key, value in (
        ("remote.origin.url", url),
        ("remote.origin.promisor", "true"),
        ("core.repositoryformatversion", "1"),
        ("extensions.partialClone", "origin"),
    ):
        _git(copy, "config", key, value)


def _git(copy: Path, *words: str) -> str:
    off = ("-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false")
    done = subprocess.run(
        ["git", *off, *words], cwd=copy, capture_output=True, text=True, check=False
    )
    return done.stdout


def a_helper_for_passwords(copy: Path, mark: str) -> None:
    _set(copy, f'[credential]\n\thelper = "!touch {mark}"\n[core]\n\taskPass = "touch {mark}"\n')


def a_pager_and_an_editor(copy: Path, mark: str) -> None:
    _set(
        copy, f'[core]\n\tpager = "touch {mark}"\n\teditor = "touch {mark}"\n[pager]\n\tdiff = on\n'
    )


def an_included_file(copy: Path, mark: str) -> None:
    (copy / "more").write_text(f'[filter "x"]\n\tclean = "touch {mark}; cat"\n')
    _set(copy, f'[include]\n\tpath = "{copy}/more"\n')
    _attributes(copy, "* filter=x\n")


def a_hook_for_packs(copy: Path, mark: str) -> None:
    _set(copy, f'[uploadpack]\n\tpackObjectsHook = "touch {mark};"\n')


def references_of_alternates(copy: Path, mark: str) -> None:
    _set(copy, f'[core]\n\talternateRefsCommand = "touch {mark}"\n')


def a_repository_within(copy: Path, mark: str) -> None:
    inner = copy / "inner"
    inner.mkdir()
    _git(inner, "init", "-q")
    _set(inner, "[user]\n\tname = Planter\n\temail = p@x\n")
    (inner / "file").write_text("x\n")
    _git(inner, "add", "file")
    _git(inner, "commit", "-qm", "Begin")
    a_clean_filter(inner, mark)
    a_file_monitor(inner, mark)


def a_submodule(copy: Path, mark: str) -> None:
    a_repository_within(copy, mark)
    (copy / ".gitmodules").write_text(
        f'[submodule "inner"]\n\tpath = inner\n\turl = ./inner\n\tupdate = "!touch {mark}"\n'
    )
    _set(copy, f'[submodule "inner"]\n\turl = x\n\tactive = true\n\tupdate = "!touch {mark}"\n')
    _git(copy, "add", "-f", "inner", ".gitmodules")


def a_repository_elsewhere(copy: Path, mark: str) -> None:
    """Its ``.git`` becomes a file that leads to another folder of the agent's."""
    shutil.move(copy / ".git", copy / "hidden")
    (copy / ".git").write_text(f"gitdir: {copy}/hidden\n")
    with (copy / "hidden" / "config").open("a") as file:
        file.write(f'[filter "x"]\n\tclean = "touch {mark}; cat"\n')
    _attributes(copy, "* filter=x\n")


def a_program_in_the_path(copy: Path, mark: str) -> None:
    _program(copy / "git", mark)
    _program(copy / "git-upload-pack", mark)


GROUPS: tuple[tuple[Plant, ...], ...] = (
    (
        a_clean_filter, a_file_monitor, hooks, a_text_converter, a_merge_driver,
        a_signing_program, a_helper_for_passwords, a_pager_and_an_editor, a_hook_for_packs,
        references_of_alternates, a_program_in_the_path, a_repository_within,
    ),
    (a_filter_process, a_path_of_hooks, a_submodule),
    (an_attribute_file_in_git, a_way_to_the_server),
    (an_included_file, a_transport_of_its_own),
    (a_program_for_diffs, a_repository_elsewhere),
)  # fmt: skip
"""What goes together in one working copy."""
ASLEEP = (
    a_merge_driver, a_signing_program, a_helper_for_passwords, a_pager_and_an_editor,
    a_hook_for_packs, references_of_alternates, a_program_in_the_path, a_submodule,
)  # fmt: skip
"""What plain git does not run by the few commands that are tried below."""
CASES = [(number, plant) for number, plants in enumerate(GROUPS) for plant in plants]
LIVE = [(number, plant) for number, plant in CASES if plant not in ASLEEP]


def _named(case: object) -> str:
    return getattr(case, "__name__", "group")


def _planted(ground: Bench, plants: tuple[Plant, ...], name: str) -> tuple[Brief, Path]:
    """A working copy with all of it, and the folder of the marks that each would leave."""
    brief = ground.brief(name, ["true"], SandboxSpec())
    ground.make(brief)
    copy, marks = ground.workspace(brief), ground.root / f"marks-{name}"
    (copy / "README.md").write_text("changed\n")
    (copy / "new.txt").write_text("new\n")
    marks.mkdir()
    for plant in plants:
        plant(copy, str(marks / plant.__name__))
    for left in marks.iterdir():
        left.unlink()  # by planting it
    return brief, marks


@pytest.fixture(scope="module")
def after_all_looks(ground: Bench) -> list[set[str]]:
    """The marks that were left when Ennio had done all it does with such a copy."""
    found = []
    for number, plants in enumerate(GROUPS):
        brief, marks = _planted(ground, plants, f"looked-{number}")
        for look in _looks(ground, brief):
            with suppress(EnnioError):
                look()
        found.append({mark.name for mark in marks.iterdir()})
    return found


def _looks(ground: Bench, brief: Brief) -> tuple[Callable[[], object], ...]:
    host = ground.host
    return (
        lambda: host.make(brief),
        lambda: host.prepare(replace(brief, submodules=True)),
        lambda: host.inspect(brief),
        lambda: host.changes(brief, Until.WORKTREE, 1 << 16),
        lambda: host.changed_file(brief, "README.md", Until.WORKTREE, 3, 1 << 16),
        lambda: _radar(ground, brief),
        lambda: host.remove(brief),
    )


@pytest.mark.parametrize(("group", "plant"), CASES, ids=_named)
def test_nothing_that_is_planted_is_run_outside(
    after_all_looks: list[set[str]], group: int, plant: Plant
) -> None:
    assert plant.__name__ not in after_all_looks[group]


def _radar(ground: Bench, brief: Brief) -> None:
    head = ground.host.branch_heads([brief]).get(brief.session_id)
    if head is not None:
        one = BranchAt(brief, head)
        ground.host.branch_changes([one])
        ground.host.try_merges([MergePair(one, one)])


@pytest.fixture(scope="module")
def after_plain_git(ground: Bench) -> list[set[str]]:
    """The marks that are left by git as anybody runs it."""
    found = []
    for number, plants in enumerate(GROUPS):
        brief, marks = _planted(ground, plants, f"plain-{number}")
        copy = ground.workspace(brief)
        for words in ("status", "add .", "diff HEAD", "cat-file -p HEAD:lost.txt"):
            for place in (copy, copy / "inner"):
                if place.is_dir():
                    subprocess.run(
                        ["git", *words.split()], cwd=place, capture_output=True, check=False
                    )
        found.append({mark.name for mark in marks.iterdir()})
    return found


@pytest.mark.parametrize(("group", "plant"), LIVE, ids=_named)
def test_plain_git_would_run_it(after_plain_git: list[set[str]], group: int, plant: Plant) -> None:
    """So what is planted above is alive."""
    assert plant.__name__ in after_plain_git[group]


def test_what_was_not_committed_is_saved_from_behind_the_walls(ground: Bench) -> None:
    brief, _ = _planted(ground, (a_program_in_the_path,), "saved")
    ground.git("push", "-q", str(ground.hub), "main")
    freed = ground.host.remove(brief)
    assert freed.preserved == "refs/ennio/preserved/saved"
    assert ground.git("show", f"{freed.preserved}:new.txt") == "new"


def test_work_is_bundled_where_the_repository_cannot_take_it(ground: Bench) -> None:
    gone = str(ground.root / "gone")
    brief, _ = _planted(ground, (a_program_in_the_path,), "bundled")
    freed = ground.host.remove(replace(brief, source=gone))
    assert freed.preserved is not None
    assert freed.preserved.endswith("bundled.bundle")
    assert "refs/ennio/preserved/bundled" in ground.git("bundle", "list-heads", freed.preserved)


def test_objects_of_another_repository_are_not_reached_by_alternates(ground: Bench) -> None:
    """An agent names the objects of a repository it cannot see, and has us show them."""
    secret = ground.root / "secret"
    secret.mkdir()
    ground.git("init", "-q", "-b", "main", cwd=secret)
    (secret / "key").write_text(SECRET + "\n")
    ground.git("add", "key", cwd=secret)
    words = ("-c", "user.name=P", "-c", "user.email=p@x", "commit", "-qm", "Key")
    ground.git(*words, cwd=secret)
    head = ground.git("rev-parse", "HEAD", cwd=secret)
    brief = ground.brief("alternates", ["true"], SandboxSpec())
    ground.make(brief)
    copy = ground.workspace(brief)
    info = copy / ".git" / "objects" / "info"
    info.mkdir(exist_ok=True)
    (info / "alternates").write_text(f"{secret}/.git/objects\n")
    made = ("commit-tree", f"{head}^{{tree}}", "-p", "HEAD", "-m", "Take it")
    mine = ground.git(*words[:4], *made, cwd=copy)
    (copy / ".git" / "refs" / "heads" / brief.branch).write_text(mine + "\n")
    assert SECRET in ground.git("show", "HEAD:key", cwd=copy), "git itself would"
    told = ""
    with suppress(EnnioError):
        told = str(ground.host.changes(brief, Until.HEAD, 1 << 16))
    assert SECRET not in told
    found = ground.host.branch_changes([BranchAt(brief, mine)])
    assert found[brief.session_id].paths == ()
