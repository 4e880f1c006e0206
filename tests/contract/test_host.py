"""What every host must do, in this process when three threads ask at once, behind a node of another
user, and over ssh.
"""

from __future__ import annotations

import inspect
import os
import signal
import subprocess
import threading
import typing
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import fields, is_dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path, PurePath
from types import CodeType
from typing import Any

import pytest

import ennio
from ennio.config.model import AgentConfig
from ennio.config.money import Budget, BudgetScope
from ennio.hosts.brief import BranchAt, Brief, HookAddress, LinkSpec, MergePair
from ennio.hosts.calls import CALLS
from ennio.hosts.delivery import Arrival, Words
from ennio.hosts.interface import Host
from ennio.hosts.observation import Wanted
from ennio.hosts.typed_log import Typing
from ennio.machine.process_table import start_of
from ennio.model.errors import Conflict, EnnioError, Invalid, NotFound, Refused, Unreachable
from ennio.model.facts import Place, Presence
from ennio.model.inline_comment import InlineComment, Side
from ennio.model.session import Activity, RuntimeHandle
from ennio.model.workspace_changes import Until
from ennio.policy.budgets.applied import AppliedBudget
from ennio.policy.budgets.headroom import Headroom, SessionHeadroom
from ennio.policy.budgets.standing import standing
from ennio.policy.budgets.windows import WHOLE
from tests.conftest import eventually
from tests.contract.host_stage import HOOKS, KINDS, STAGES, WORDS, Stage, Stand, stage_at

Scene = Callable[[Stand], None]
played: set[str] = set()
"""The methods of ``Host`` that a scene here plays."""


@pytest.fixture(scope="module", params=STAGES, ids=" by ".join)
def stage(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage_at(*request.param) as stage:
        yield stage


def contract(scene: Scene) -> Callable[[Stage], None]:
    """A scene as a test of every stage."""
    played.update(_named(scene.__code__))

    def test(stage: Stage) -> None:
        stage.play(scene)

    test.__doc__ = scene.__doc__
    return test


def contract_but_over_ssh(why: str) -> Callable[[Scene], Callable[[Stage], None]]:
    """A scene of every stage but the one where it is as it should be that it cannot be played."""

    def declared(scene: Scene) -> Callable[[Stage], None]:
        played.update(_named(scene.__code__))

        def test(stage: Stage) -> None:
            if stage.far is not None:
                pytest.skip(why)
            stage.play(scene)

        test.__doc__ = scene.__doc__
        return test

    return declared


def _named(code: CodeType) -> Iterator[str]:
    """The methods of a host that some code calls, in the functions inside of it too."""
    yield from (name for name in CALLS if name in code.co_names)
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from _named(inner)


# --- the interface --------------------------------------------------------------------------------


def _hints(hint: Any) -> Iterator[Any]:
    """Every type in an annotation, and in those of the dataclasses in it."""
    yield hint
    inner = [*typing.get_args(hint)]
    if isinstance(hint, type) and is_dataclass(hint):
        known = typing.get_type_hints(hint)
        inner += [known[field.name] for field in fields(hint)]
    for each in inner:
        yield from _hints(each)


def test_no_path_and_no_callback_crosses_the_interface_of_a_host() -> None:
    for name in CALLS:
        for argument, hint in typing.get_type_hints(getattr(Host, name)).items():
            for each in _hints(hint):
                assert not (isinstance(each, type) and issubclass(each, PurePath)), (
                    f"{name}: {argument} holds a path"
                )
                assert typing.get_origin(each) is not Callable, (
                    f"{name}: {argument} holds a callback"
                )


def test_every_method_of_a_host_is_a_call_and_is_played_here() -> None:
    methods = {
        name for name, _ in inspect.getmembers(Host, inspect.isfunction) if not name.startswith("_")
    }
    assert set(CALLS) == methods
    by_all = {
        name
        for step in (Stand.made, Stand.launched, Stand.process, Stand.look)
        for name in _named(step.__code__)
    }
    assert methods - played - by_all == set()


# --- before anything is made ----------------------------------------------------------------------


@contract
def test_a_plugin_that_is_not_there_is_named_with_its_field(at: Stand) -> None:
    at.host.check(at.brief)
    for field in ("agent", "runtime", "workspace"):
        with pytest.raises(Invalid, match=f"^{field}: .*'nobody'"):
            at.host.check(replace(at.brief, **{field: "nobody"}))


@contract
def test_what_a_launch_would_be_refused_for_is_said_before_anything_is_made(at: Stand) -> None:
    def command(program: str, *words: str) -> Brief:
        """Of a project of its own: its agent is made once for each."""
        settings = AgentConfig(passthrough={"argv": [program, *words]})
        own = replace(at.brief, project_id=f"of-{Path(program).name}-{len(words)}")
        return replace(own, agent="command", agent_config=settings, post_create=())

    at.host.judge(at.brief, "Play", "Never stop")
    with pytest.raises(Invalid, match=r"^prompt: holds a NUL"):
        at.host.judge(at.brief, "a\0b", "")
    with pytest.raises(Invalid, match="the prompt is too long for a command line"):
        at.host.judge(command("cat", "{prompt}"), "x" * 200_000, "")
    missing = command("/no/such/agent", "{prompt}")
    for ask in (at.host.judge, at.host.preview):
        with pytest.raises(Refused, match=r"^/no/such/agent is not installed"):
            ask(missing, "Play", "")
    at.host.judge(replace(missing, post_create=("make agent",)), "Play", "")
    at.host.judge(command("./here"), "Play", "")
    assert not at.folder.exists()


@contract
def test_a_preview_tells_of_the_environment_over_there_and_makes_nothing(at: Stand) -> None:
    told = at.host.preview(at.brief, "Play", "Never stop")
    assert {"PATH", "HOME", "KEY_OF_PROJECT", "ENNIO_SESSION_ID"} <= set(told.env)
    assert told.argv[0] == at.stage.user.python
    assert at.host.workspace_path(at.brief).startswith(str(at.stage.home))
    assert at.host.remote(at.brief) == "origin"
    assert at.host.traits(at.brief).tells
    assert not at.folder.exists()
    assert not (at.stage.home / "sessions" / at.id).exists()


# --- a life ---------------------------------------------------------------------------------------


@contract
def test_a_life_from_make_to_remove(at: Stand) -> None:
    at.launched()
    assert at.host.make(at.brief).path == at.brief.path, "made twice, it is the same"
    kept = at.stage.home / "sessions" / at.id
    assert [(kept / name).read_text() for name in ("prompt.md", "system.md")] == [
        WORDS.prompt,
        WORDS.system,
    ]
    at.host.instruct(at.brief, "Play the coda", WORDS.system)
    assert (kept / "prompt.md").read_text() == "Play the coda"
    assert (at.folder / "hooked.txt").read_text() == "g minor"
    assert (at.folder / "linked.txt").is_symlink()
    assert at.process().presence is Presence.ALIVE
    assert at.host.terminals(at.brief.runtime)[at.id].data["pid"] == str(at.process().pid)
    assert (at.id, "record") in at.host.records()
    assert "Scripted agent" in at.host.output(at.brief, 50)
    assert all(isinstance(word, str) for word in at.host.attach_command(at.brief))
    seen = at.host.inspect(at.brief)
    assert (seen.exists, seen.unpushed, seen.uncommitted) == (True, 1, 0)
    at.host.stop(at.brief, launched=True)
    at.host.stop(at.brief, launched=True)
    assert at.process().presence is Presence.GONE
    assert at.host.remove(at.brief, dry_run=True).preserved
    assert at.folder.exists()
    freed = at.host.remove(replace(at.brief, ended=True))
    assert freed.preserved is not None
    assert not at.folder.exists()
    assert not (at.stage.home / "sessions" / at.id).exists()
    assert not at.host.inspect(at.brief).exists


@contract
def test_what_a_removal_saved_is_listed_and_comes_back(at: Stand) -> None:
    at.launched()
    at.host.stop(at.brief, launched=True)
    at.host.remove(at.brief)
    item = next(one for one in at.host.preserved("play", at.brief.source) if one.id == at.id)
    assert at.host.preserved_contents(item).item == item
    assert at.host.preserved_restore(item, f"back/{at.id}").branch == f"back/{at.id}"
    with pytest.raises(Refused, match=f"back/{at.id}"):
        at.host.preserved_restore(item, f"back/{at.id}")


@contract
def test_what_a_session_changed_is_told_with_its_patch_and_nothing_is_moved(at: Stand) -> None:
    at.made()
    odd = "printf 'a\\nb\\n' > \"$(printf 'odd\\377\\nname')\" && printf x > new.txt"
    at.stage.run("sh", "-c", odd, cwd=at.folder)
    told = at.host.changes(at.brief, Until.WORKTREE, 10_000)
    files = {one.path: one for one in told.files}
    assert set(files) == {"odd\\xff\nname", "new.txt", "hooked.txt"}
    assert (files["odd\\xff\nname"].added, told.count, told.added) == (2, 3, 4)
    assert told.text is not None
    assert "+x" in told.text
    assert told.head == told.base
    patch = at.host.changed_file(at.brief, "odd\\xff\nname", Until.WORKTREE, 3, 10_000)
    assert patch.text.endswith("+a\n+b\n")
    assert at.host.changes(at.brief, Until.HEAD, 0).files == ()
    with pytest.raises(NotFound, match="nowhere is not changed"):
        at.host.changed_file(at.brief, "nowhere", Until.WORKTREE, 3, 10_000)
    assert at.host.inspect(at.brief).uncommitted == 3


@contract
def test_a_comment_is_about_a_file_as_it_lies_there_as_it_was_seen_or_as_it_was(at: Stand) -> None:
    at.made()
    words = (
        "printf 'a\\nb\\n' > long.txt && mkdir sub && printf x > sub/in.txt && git add . "
        "&& git commit -qm one && git mv long.txt moved.txt && printf 'a\\n' > short.txt "
        "&& git add . && git commit -qm two && rm short.txt && printf x > 'new [1].txt' "
        "&& printf 'a\\nb\\n' > \"$(printf 'odd\\377')\""
    )
    at.stage.run("sh", "-c", words, cwd=at.folder)
    head = at.stage.run("git", "rev-parse", "HEAD~1", cwd=at.folder).strip()

    def has(path: str, line: int | None, seen: str | None = None, **more: Any) -> bool:
        comment = InlineComment(path, "why?", line, **more)
        (found,) = at.host.commented_files(at.brief, [comment], seen)
        return found.has(line)

    assert has("new [1].txt", 1)
    assert not has("new [1].txt", 2)
    assert has("moved.txt", 2)
    assert not has("moved.txt", 3)
    assert has("short.txt", 1), "it is in the last commit"
    assert not has("short.txt", 2)
    assert has("sub", None)
    assert not has("sub", 1)
    assert has("odd\\xff", 9), "a name that is shown in other letters"
    for path in ("nowhere", "*.txt", ":(glob)**"):
        assert not has(path, None)
    assert not has("long.txt", None)
    assert has("long.txt", 2, head), "it was there in the commit that was read"
    assert not has("long.txt", 3, head)
    assert not has("moved.txt", 3, head)
    assert not has("moved.txt", 1, side=Side.OLD), "it is new since the base"
    with pytest.raises(Invalid, match="head: 'feedfeed' is no commit that session"):
        has("moved.txt", 1, "feedfeed")
    both = [InlineComment("moved.txt", "b", 2), InlineComment("nowhere", "b")]
    assert [one.there for one in at.host.commented_files(at.brief, both, None)] == [True, False]


@contract
def test_a_launch_that_is_asked_for_again_is_found_and_nothing_alive_is_replaced(at: Stand) -> None:
    at.launched()
    again = at.host.launch(at.brief, 1, HOOKS, "record", False, None)
    assert again.handle == at.brief.handle
    with pytest.raises(Conflict, match="stop it"):
        at.host.launch(at.brief, 2, HOOKS, "record", True, None)
    assert at.process().pid == int(again.handle.data["pid"])


@contract
def test_a_resume_carries_words_that_the_agent_then_says_it_took(at: Stand) -> None:
    at.launched()
    at.host.stop(at.brief, launched=True)
    words = at.words("and the second movement")
    done = at.host.launch(at.brief, 2, HOOKS, "record", True, words)
    at.brief = replace(at.brief, handle=done.handle)
    assert done.carried
    eventually(lambda: at.host.received(at.brief, words).arrival is Arrival.DELIVERED)


@contract
def test_a_base_branch_that_is_not_there_is_refused_in_its_own_words_and_nothing_is_half_made(
    at: Stand,
) -> None:
    with pytest.raises(Refused, match="nowhere"):
        at.host.make(replace(at.brief, base="nowhere"))
    assert not at.folder.exists()


@contract
def test_a_command_that_fails_is_refused_with_its_name(at: Stand) -> None:
    brief = replace(at.brief, post_create=("exit 7",))
    at.host.make(brief)
    with pytest.raises(Refused, match="exit 7"):
        at.host.prepare(brief)


@contract
def test_a_link_that_would_leave_the_working_copy_is_refused(at: Stand) -> None:
    brief = replace(at.brief, symlinks=(LinkSpec("shared.txt", "../out.txt"),))
    at.host.make(brief)
    with pytest.raises(Refused, match=r"out\.txt"):
        at.host.prepare(brief)


@contract
def test_what_prepares_a_working_copy_can_be_ended(at: Stand) -> None:
    brief = replace(at.brief, post_create=("touch begun.txt; sleep 300",))
    at.host.make(brief)
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(at.host.prepare, brief)
        eventually((at.folder / "begun.txt").exists)
        at.host.stop(brief, launched=False)
        with pytest.raises(EnnioError):
            work.result(timeout=30)


@contract
def test_a_working_copy_that_is_asked_for_twice_at_once_is_made_once(at: Stand) -> None:
    with ThreadPoolExecutor(2) as pool:
        made = [pool.submit(at.host.make, at.brief) for _ in range(2)]
        assert made[0].result(timeout=60) == made[1].result(timeout=60)
    assert at.host.inspect(at.brief).exists


# --- its terminal ---------------------------------------------------------------------------------


@contract
def test_words_are_delivered_once_for_a_message_however_often_they_are_asked_for(at: Stand) -> None:
    at.launched()
    before, words = at.look().prompts, at.words("louder, please")
    with ThreadPoolExecutor(2) as pool:
        done = [pool.submit(at.host.deliver, at.brief, words) for _ in range(2)]
        assert [each.result(timeout=60).arrival for each in done] == [
            Arrival.DELIVERED,
            Arrival.DELIVERED,
        ]
    assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
    assert at.host.settle(at.brief, words, alive=True, entered=True).arrival is Arrival.DELIVERED
    assert at.look().prompts == before + 1


def _typed_but_not_entered(at: Stand, text: str) -> Words:
    """A message whose host ended between the word that it is being typed and Enter."""
    at.launched()
    words = at.words(text)
    assert at.host.put_back(at.brief, words.text), "typed, and not entered"
    at.typed.note(words.message_id, Typing.BEGUN, words.since)
    return words


@contract
def test_words_that_were_typed_but_not_entered_before_a_crash_are_entered(at: Stand) -> None:
    words = _typed_but_not_entered(at, "softer, please")
    before = at.look().prompts
    assert at.host.settle(at.brief, words, alive=True, entered=False).arrival is Arrival.DELIVERED
    assert at.look().prompts == before + 1


@contract
def test_words_that_stand_there_typed_are_entered_and_not_typed_again_when_they_are_asked_for_again(
    at: Stand,
) -> None:
    words = _typed_but_not_entered(at, "softer, please")
    before = at.look().prompts
    assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
    assert at.look().prompts == before + 1


@contract
def test_words_that_were_announced_and_never_typed_are_missing_and_may_be_typed(at: Stand) -> None:
    at.launched()
    before, words = at.look().prompts, at.words("slower, please")
    at.typed.note(words.message_id, Typing.BEGUN, words.since)
    assert at.host.settle(at.brief, words, alive=True, entered=False).arrival is Arrival.MISSING
    assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
    assert at.look().prompts == before + 1


@contract
def test_words_no_key_was_pressed_for_are_missing(at: Stand) -> None:
    at.launched()
    done = at.host.settle(at.brief, at.words("never"), alive=True, entered=False)
    assert (done.arrival, done.typed) == (Arrival.MISSING, False)


@contract
def test_what_a_person_has_begun_to_type_is_in_the_way(at: Stand) -> None:
    at.launched()
    assert at.host.put_back(at.brief, "mine")
    words = at.words("ours")
    hindered = at.host.obstacle(at.brief, words)
    assert hindered is not None
    assert (hindered.arrival, hindered.draft) == (Arrival.NOT_NOW, "mine")
    assert at.host.deliver(at.brief, words).arrival is Arrival.NOT_NOW
    done = at.host.deliver(at.brief, replace(words, aside="mine"))
    assert (done.arrival, done.aside) == (Arrival.DELIVERED, True)


@contract
def test_a_question_is_answered_and_one_that_nobody_asks_is_refused(at: Stand) -> None:
    at.launched()
    with pytest.raises(Refused, match="no question"):
        at.host.answer(at.brief, "2")
    at.host.deliver(at.brief, at.words("ask me"))
    eventually(lambda: at.look().question)
    with pytest.raises(Refused, match="major"):
        at.host.answer(at.brief, "7")
    at.host.answer(at.brief, "minor")
    eventually(lambda: "so be it" in at.host.output(at.brief, 50))


@contract
def test_an_agent_leaves_off_when_it_is_interrupted(at: Stand) -> None:
    at.launched()
    turns = at.look().turns
    at.host.deliver(at.brief, at.words("think long"))
    at.host.interrupt(at.brief)
    eventually(lambda: at.look().turns > turns)


@contract
def test_a_terminal_that_is_not_there_is_not_found(at: Stand) -> None:
    for ask in (lambda: at.host.output(at.brief, 5), lambda: at.host.interrupt(at.brief)):
        with pytest.raises(NotFound, match=at.id):
            ask()
    assert at.host.deliver(at.brief, at.words("x")).arrival is Arrival.NOT_NOW


@contract_but_over_ssh("terminals over there are read, and not watched as they change")
def test_a_terminal_is_watched_by_many_from_where_each_of_them_was(at: Stand) -> None:
    at.launched()
    first = at.host.watch(at.brief, None, 0, 5)
    assert first.whole
    assert b"Scripted agent" in first.data
    at.host.type_keys(at.brief, b"some words", paste=False)
    seen, offset = b"", first.following

    def typed() -> bool:
        nonlocal seen, offset
        more = at.host.watch(at.brief, first.stream, offset, 2)
        assert not more.whole
        assert more.offset == offset
        seen, offset = seen + more.data, more.following
        return b"some words" in seen

    eventually(typed)
    again = at.host.watch(at.brief, first.stream, first.following, 5)
    assert again.data == seen[: len(again.data)], "the second one sees the very same bytes"
    assert at.host.watch(at.brief, "another", 3, 5).whole, "of another look nothing is known"


@contract_but_over_ssh("terminals over there are read, and not watched as they change")
def test_a_screen_is_shot_as_it_is_and_given_another_size(at: Stand) -> None:
    at.launched()
    at.host.resize(at.brief, 90, 20)

    def resized() -> bool:
        shot = at.host.shot(at.brief, 0)
        return (shot.columns, shot.rows, len(shot.lines)) == (90, 20, 20)

    eventually(resized)
    assert at.host.watch(at.brief, None, 0, 5).columns == 90
    with pytest.raises(NotFound, match="nobody"):
        at.host.shot(replace(at.brief, session_id="nobody", handle=None), 0)


# --- looking --------------------------------------------------------------------------------------


@contract
def test_nothing_is_read_again_that_would_only_be_said_again(at: Stand) -> None:
    at.launched()

    def quiet() -> bool:
        at.process()
        read = at.host.observe([Wanted(at.brief, at.cursor, place=True)])[at.id]
        assert read.place is not None
        assert read.place.place is Place.STANDING
        was, at.cursor = at.cursor, read.cursor
        return read.agent is None and was == at.cursor

    eventually(quiet, 60, "it rests")
    assert at.host.observe([Wanted(at.brief, {})])[at.id].agent is not None, (
        "who has read nothing yet is told"
    )


@contract
def test_what_was_surveyed_before_a_launch_says_nothing_of_the_agent_after_it(at: Stand) -> None:
    at.made()
    assert (
        at.host.survey(at.brief.runtime, {at.id: None}).processes[at.id].presence is Presence.GONE
    )
    done = at.host.launch(at.brief, 1, HOOKS, "record", False, None)
    at.brief = replace(at.brief, handle=done.handle)
    read = at.host.observe([Wanted(at.brief, {})])[at.id]
    assert read.agent is None or read.agent.activity is not Activity.EXITED


@contract
def test_a_process_whose_terminal_is_gone_is_unknown_and_only_one_that_ended_is_gone(
    at: Stand,
) -> None:
    mine = subprocess.Popen(["sleep", "300"])
    try:
        handle = RuntimeHandle(
            at.id,
            at.brief.runtime,
            {"pid": str(mine.pid), "started": start_of(mine.pid), "number": "1"},
        )
        assert (
            at.host.survey(at.brief.runtime, {at.id: handle}).processes[at.id].presence
            is Presence.UNKNOWN
        )
    finally:
        mine.kill()
        mine.wait()
    assert (
        at.host.survey(at.brief.runtime, {at.id: handle}).processes[at.id].presence is Presence.GONE
    )
    assert (
        at.host.survey(at.brief.runtime, {at.id: None}).processes[at.id].presence is Presence.GONE
    )


def test_a_survey_that_fails_says_so_and_nobody_is_taken_for_gone(stage: Stage) -> None:
    def scene(at: Stand) -> None:
        at.launched()
        socket = stage.tmux_socket
        away = socket.with_name("away")
        socket.rename(away)
        socket.mkdir()
        stage.end_kept_clients()  # one that is attached needs no socket
        try:
            for ask in (at.process, lambda: at.host.terminals("tmux")):
                with pytest.raises(Unreachable, match="socket"):
                    ask()
        finally:
            socket.rmdir()
            away.rename(socket)
        assert at.process().presence is Presence.ALIVE

    if stage.kind.startswith("tmux"):
        stage.play(scene, alone=True)


# --- news -----------------------------------------------------------------------------------------


@contract_but_over_ssh("what happens over there is looked at, and not waited for")
def test_an_agent_that_rests_is_waited_for_and_there_is_news_of_what_it_does_and_of_its_end(
    at: Stand,
) -> None:
    at.launched()
    assert at.host.news("", 30).everybody, "who begins to wait knows of nobody"
    eventually(at.is_awaited, 60, "all that it could do next is waited for")
    cursor = at.host.news("", 30).cursor

    def rests() -> bool:
        """What was seen already may still be told of."""
        nonlocal cursor
        news = at.host.news(cursor, 0.3)
        cursor = news.cursor
        return at.id not in news.sessions

    eventually(rests, why="it rests")

    at.host.deliver(at.brief, at.words("once more"))
    at.told_since(cursor)
    eventually(at.is_awaited, 60, "it rests again")

    cursor = at.host.news("", 30).cursor
    os.kill(at.process().pid or 0, signal.SIGKILL)
    at.told_since(cursor)
    eventually(lambda: at.process().presence is Presence.GONE)
    eventually(at.is_awaited, why="nothing more can become of it")


@contract_but_over_ssh("what happens over there is looked at, and not waited for")
def test_a_working_copy_that_somebody_switches_is_news(at: Stand) -> None:
    at.launched()
    at.host.news("", 30)
    wanted = Wanted(at.brief, at.cursor, screen=True, place=True)
    eventually(lambda: at.host.observe([wanted])[at.id].place is not None)
    eventually(at.is_awaited, 60)
    cursor = at.host.news("", 30).cursor
    at.stage.run("git", "switch", "--quiet", "--detach", cwd=at.folder)
    at.told_since(cursor)
    place = at.host.observe([wanted])[at.id].place
    assert place is not None
    assert place.place is Place.DETACHED


@contract
def test_a_wait_in_which_nothing_happens_ends_in_time_and_tells_of_nobody_who_rests(
    at: Stand,
) -> None:
    cursor = at.host.news("", 30).cursor
    news = at.host.news(cursor, 0.2)
    assert at.id not in news.sessions
    assert not news.everybody


@contract
def test_a_cursor_of_another_life_of_the_host_says_nothing_of_this_one(at: Stand) -> None:
    assert at.host.news("another:7", 30).everybody


# --- what its agent says, and shows ---------------------------------------------------------------


@contract
def test_files_are_shown_from_the_working_copy_alone(at: Stand) -> None:
    at.made()
    at.stage.run("sh", "-c", "echo '<b>' > page.html; ln -s /etc/passwd out", cwd=at.folder)
    page, out = at.host.named_files(at.brief, ["page.html", "out"])
    assert (page.media, page.size, page.refused) == ("text/plain; charset=utf-8", 4, "")
    assert "leads out" in out.refused
    assert at.host.named_content(at.brief, "page.html").content == "PGI+Cg=="
    with pytest.raises(Refused, match="leads out"):
        at.host.named_content(at.brief, "out")
    assert at.host.last_message(at.brief) is None, "the scripted agent does not tell"


# --- branches beside one another ------------------------------------------------------------------


def _with_line(at: Stand, line: str) -> BranchAt:
    """A working copy on which the same file has a line of its own."""
    at.made()
    at.stage.run("sh", "-c", f"echo {line} > 'a b.txt'", cwd=at.folder)
    at.stage.run("git", "add", "a b.txt", cwd=at.folder)
    at.stage.run("git", "commit", "-q", "-m", line, cwd=at.folder)
    return BranchAt(at.brief, at.stage.run("git", "rev-parse", "HEAD", cwd=at.folder))


@contract
def test_two_branches_are_compared_without_a_trace(at: Stand) -> None:
    one, other, nowhere = (
        _with_line(at, "one"),
        _with_line(Stand(at.stage), "other"),
        Stand(at.stage),
    )
    names = {each.brief.session_id: each.head for each in (one, other)}
    before = at.stage.run("git", "count-objects", "-v", cwd=at.folder)
    assert at.host.branch_heads([one.brief, other.brief, nowhere.brief]) == names
    changes = at.host.branch_changes([one, other])
    assert [changes[name].paths for name in names] == [("a b.txt",), ("a b.txt",)]
    itself = MergePair(one, replace(other, head=one.head))
    lost = MergePair(one, replace(other, head="0" * 40))
    found = at.host.try_merges([MergePair(one, other), itself, lost])
    assert [trial and trial.mergeability.value for trial in found] == [
        "conflicting",
        "clean",
        "unknown",
    ]
    assert found[0] is not None
    assert found[0].conflicts == ("a b.txt",)
    if at.stage.threads == 1:
        assert at.stage.run("git", "count-objects", "-v", cwd=at.folder) == before


# --- what it uses ---------------------------------------------------------------------------------


def _limits(at: Stand) -> bool:
    """Whether its proxy is told what is left of a budget; others on the same home may tell theirs
    meanwhile.
    """
    budget = AppliedBudget(Budget(BudgetScope.SESSION, limit_tokens=1), at.id)
    sessions = {at.id: SessionHeadroom(0, None, (budget.name,))}
    at.host.limit_metered(Headroom((standing(budget, WHOLE, {}),), sessions))
    return budget.name in _told(at)


def _limits_nobody(at: Stand) -> str:
    at.host.limit_metered(Headroom())
    return _told(at)


def _told(at: Stand) -> str:
    try:
        return (at.stage.home / "proxy" / "headroom.json").read_text()
    except FileNotFoundError:
        return ""


@contract_but_over_ssh("no proxy runs over there")
def test_the_proxy_is_started_when_it_is_to_be_kept_and_ended_when_nobody_needs_it(
    at: Stand,
) -> None:
    kept = at.host.keep_meter()
    try:
        assert kept.address is not None
        assert (kept.version, kept.sessions, kept.detail) == (ennio.__version__, (), "")
        at.host.stop_metered(at.id, "no more")
        assert (at.stage.home / "proxy" / "stops" / at.id).read_text() == "no more"
        at.host.allow_metered(at.id)
        at.host.allow_metered(at.id)
        assert not (at.stage.home / "proxy" / "stops" / at.id).exists()
        at.host.limit_metered(Headroom())
        eventually(lambda: _limits(at), 30, "it is told")
        eventually(lambda: not _limits_nobody(at), 30, "and told anew")
    finally:
        at.host.leave_meter()
    # others on the same home may have it kept meanwhile
    eventually(lambda: at.host.leave_meter().address is None, 30, "it has ended")
    assert at.host.meter().version == ""


# --- what outlives a database ---------------------------------------------------------------------


@contract
def test_hooks_are_led_elsewhere_and_told_again(at: Stand) -> None:
    assert at.host.hooks(at.id) is None
    address = HookAddress("127.0.0.1", 7, f"/hooks/{at.id}", "other")
    at.host.lead_hooks(at.id, address)
    assert at.host.hooks(at.id) == address
    assert at.host.free_memory() > 0
    assert at.host.free_disk() > 0


@contract
def test_old_logs_of_these_sessions_go_and_what_is_there_is_reckoned(at: Stand) -> None:
    at.host.lead_hooks(at.id, HookAddress("127.0.0.1", 7, f"/hooks/{at.id}", "other"))
    folder = at.stage.home / "sessions" / at.id
    (folder / "hooks.log").write_text("x" * 100_000)
    assert at.host.disk_usage()["sessions"] >= 100_000
    now = datetime.now(UTC)
    assert at.host.forget_logs(["nobody"], now + timedelta(days=1)) == 0
    assert at.host.forget_logs([at.id], now - timedelta(days=1)) == 0
    assert at.host.forget_logs([at.id], now + timedelta(days=1)) == 1
    assert not (folder / "hooks.log").exists()
    assert at.host.hooks(at.id) is not None, "only logs go"


# --- what only a host elsewhere can suffer --------------------------------------------------------


@pytest.fixture(scope="module", params=list(KINDS))
def elsewhere(request: pytest.FixtureRequest) -> Iterator[Stage]:
    with stage_at("behind a node", request.param) as stage:
        yield stage


def test_an_agent_elsewhere_has_the_home_the_path_and_the_user_of_that_place(
    elsewhere: Stage,
) -> None:
    def scene(at: Stand) -> None:
        at.launched()
        environ = _environ(at.process().pid)
        assert environ["HOME"] == str(elsewhere.root / "person") != os.environ.get("HOME")
        assert environ["PATH"].startswith(str(elsewhere.root / "bin"))
        assert Path(f"/proc/{at.process().pid}").stat().st_uid == elsewhere.user.uid
        assert at.folder.stat().st_uid == elsewhere.user.uid

    elsewhere.play(scene)


def _environ(pid: int | None) -> Mapping[str, str]:
    words = Path(f"/proc/{pid}/environ").read_text().split("\0")
    return dict(word.split("=", 1) for word in words if "=" in word)


def test_a_connection_that_is_cut_while_words_are_typed_costs_neither_the_words_nor_types_them_twice(
    elsewhere: Stage,
) -> None:
    def scene(at: Stand) -> None:
        at.launched()
        before, words = at.look().prompts, at.words("with feeling")
        with ThreadPoolExecutor(1) as pool:
            elsewhere.hold_answers()
            lost = pool.submit(at.host.deliver, at.brief, words)
            eventually(lambda: at.typed.of_this_launch(words.message_id))
            elsewhere.cut()
            with pytest.raises(Unreachable, match="elsewhere"):
                lost.result(timeout=30)
        assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
        assert at.look().prompts == before + 1

    elsewhere.play(scene)


def test_a_host_that_ends_and_begins_again_finds_its_agents_and_what_they_were_told(
    elsewhere: Stage,
) -> None:
    def scene(at: Stand) -> None:
        at.launched()
        words, pid = at.words("once more"), at.process().pid
        assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
        prompts = at.look().prompts
        elsewhere.kill()
        with pytest.raises(Unreachable, match="elsewhere"):
            at.process()
        elsewhere.start()
        assert (at.process().presence, at.process().pid) == (Presence.ALIVE, pid)
        assert at.host.deliver(at.brief, words).arrival is Arrival.DELIVERED
        assert at.look().prompts == prompts

    elsewhere.play(scene)


def test_eight_threads_ask_over_one_connection_and_each_hears_its_own_answer(
    elsewhere: Stage,
) -> None:
    gate = threading.Barrier(8)

    def ask(number: int) -> list[str]:
        gate.wait(timeout=30)
        briefs = [
            Brief(f"fix-{number}-{each}", "play", "scripted", "tmux", "worktree")
            for each in range(20)
        ]
        return [
            elsewhere.host.workspace_path(brief).removeprefix(str(elsewhere.home))
            for brief in briefs
        ]

    with ThreadPoolExecutor(8) as pool:
        for number, told in enumerate(pool.map(ask, range(8))):
            assert told == [f"/worktrees/play/fix-{number}-{each}" for each in range(20)]


def test_words_and_names_that_are_no_text_survive_the_way(elsewhere: Stage) -> None:
    odd = "a\udcff\n\x00\u2028𝄞"
    assert (
        elsewhere.host.workspace_path(
            Brief("s", "play", "scripted", "tmux", "worktree", path=f"/{odd}")
        )
        == f"/{odd}"
    )
