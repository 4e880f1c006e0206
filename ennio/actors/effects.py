"""The effects of a session that take long: each runs in a greenlet beside the mailbox and is safe to repeat."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import takewhile

from ennio.actors import adoption, hook_token
from ennio.actors.dependencies import Dependencies
from ennio.actors.session_paths import desk, order, workspace_path
from ennio.hosts import environment
from ennio.hosts.message_delivery import Arrival, Aside, Delivery, MessageDelivery
from ennio.machine.home import private
from ennio.model.branch import check_work_branch, issue_branch, refuse_protected
from ennio.model.errors import NotFound, Refused
from ennio.model.facts import Sighting, WorkspaceSeen
from ennio.model.message import Message, MessageState, Origin
from ennio.model.session import RuntimeHandle, Session
from ennio.plugins import orphans
from ennio.plugins.agent.dialog_choices import NothingAsked
from ennio.plugins.agent.interface import Agent, CommandLine
from ennio.plugins.agent.words import plain
from ennio.plugins.runtime.interface import Key, LaunchSpec, Runtime
from ennio.plugins.tracker.interface import Issue
from ennio.plugins.workspace import hook_run
from ennio.plugins.workspace.interface import Created, Removed, Workspace
from ennio.policy import prompt
from ennio.policy.lifecycle.effects import LaunchAgent

_EVER = datetime.fromtimestamp(0, UTC) + timedelta(days=1)  # plugins take a little off it
MOVES = 40  # steps to an answer: as many choices as one question has, and some that a dialog swallowed
FOLLOWS = 10  # looks, until keys count as swallowed
_ARROWS = frozenset({Key.UP, Key.DOWN, Key.LEFT, Key.RIGHT})
BETWEEN_KEYS = 0.1  # seconds; terminals for people take keys that come at once for a paste
_OURS = 10  # messages; what Escape puts back was sent lately
HOOK_GRACE = 2.0  # seconds a hook may take to end once told to
SCREEN_FOLLOWS = 0.3  # seconds between two looks for a question that was told of


@dataclass(frozen=True, slots=True)
class Launched:
    """A launch that stands; ``begun`` is when it was asked for. ``words`` is the prompt of a first launch."""

    handle: RuntimeHandle
    number: int
    begun: datetime
    carried: bool
    words: str | None


@dataclass(frozen=True, slots=True)
class Task:
    """What a session is to do, in words: the branch it works on, its title, its prompt, the rules above it."""

    branch: str
    title: str
    words: str
    system: str


def task(deps: Dependencies, session: Session) -> Task:
    """Compose the task from its layers; asks the tracker when there is an issue. Raises NotFound, Unreachable."""
    project = deps.project(session.project_id)
    issue = _issue(deps, session)
    branch = session.branch or (issue and (issue.branch or issue_branch(issue.id, issue.title))) or session.id
    check_work_branch(branch, project.default_branch, project.protected_branches)
    layers = prompt.Layers(project=project.prompt or "", issue=issue, rules=project.agent_rules, user=session.prompt or "")
    title = issue.title if issue else (session.prompt or session.id).strip().splitlines()[0][:72]
    return Task(branch, title, prompt.compose(layers), _rules(deps, session, branch))


def _rules(deps: Dependencies, session: Session, branch: str) -> str:
    base = session.base or deps.project(session.project_id).default_branch
    return prompt.system(session.id, session.project_id, branch, base, session.role, environment.remote(session))


def _issue(deps: Dependencies, session: Session) -> Issue | None:
    if session.issue_id is None:
        return None
    tracker = deps.plugins.tracker(deps.project(session.project_id))
    if tracker is None:
        raise NotFound(f"project {session.project_id} has no tracker_config, so issue {session.issue_id} cannot be read")
    return tracker.issue(session.issue_id)


def make_workspace(deps: Dependencies, session: Session, chosen: Callable[[str, str], Session]) -> Created:
    """Choose the branch (written down through ``chosen`` first), make the working copy, write the prompt."""
    work = task(deps, session)
    session = chosen(work.branch, work.title)
    made = _workspace(deps, session).create(order(deps, session))
    rules = _rules(deps, called(session, made.remote), work.branch)
    directory = private(deps.home.session(session.id))
    for name, words in (("prompt.md", work.words), ("system.md", rules)):
        path = directory / name
        path.write_text(words, encoding="utf-8")
        path.chmod(0o600)
    return made


def called(session: Session, remote: str) -> Session:
    """The session that knows what the project's repository is called in its working copy."""
    return replace(session, metadata={**session.metadata, "remote": remote})


def prepare_workspace(deps: Dependencies, session: Session) -> None:
    """Links and post-create commands."""
    wanted = order(deps, session)
    _workspace(deps, session).prepare(wanted, Created(wanted.path, wanted.branch, ""))


def launch(deps: Dependencies, session: Session, effect: LaunchAgent, message: Message | None) -> Launched:
    """Start the agent or find it; a resume carries the message when the agent's command line can.

    Raises Refused for a branch that is protected by now: of an older Ennio, or since the configuration says so.
    """
    project = deps.project(session.project_id)
    refuse_protected(session.branch or session.id, project.default_branch, project.protected_branches)
    agent, at, begun = agent_of(deps, session), desk(deps, session), deps.clock.now()
    agent.prepare(at)
    words = None
    if effect.resume:
        command = agent.resume(at, message.text if message else None)
    else:
        words = (at.directory / "prompt.md").read_text(encoding="utf-8")
        command = agent.launch(at, words)
    wanted = _launch_order(deps, session, agent, command, effect.number)
    _check_program(wanted, agent)
    hook_token.issue(deps, session.id)
    _write(command)
    adoption.note(deps, session)
    handle = runtime_of(deps, session).start(wanted)
    return Launched(handle, effect.number, begun, command.carries, words)


def remote_of(deps: Dependencies, session: Session) -> str:
    """What the project's repository will be called in the working copy of a session that has none yet."""
    return _workspace(deps, session).remote(order(deps, session))


def command_of(deps: Dependencies, session: Session, work: Task) -> CommandLine:
    """The command line a session would be started with; nothing is written."""
    at = desk(deps, session, make=False)
    return agent_of(deps, session).launch(replace(at, system=work.system, branch=work.branch), work.words)


def environment_of(deps: Dependencies, session: Session, agent: Agent, command: CommandLine, number: int) -> dict[str, str]:
    """The whole environment of the agent."""
    project = deps.project(session.project_id)
    return {
        **environment.plain(os.environ, session.id, session.project_id, deps.home.root),
        "ENNIO_REMOTE": environment.remote(session),
        **environment.passed(os.environ, agent.passed_variables),
        **_workspace(deps, session).environment(workspace_path(deps, session)),
        **project.env,
        **command.env,
        "ENNIO_LAUNCH": str(number),
    }


def _launch_order(deps: Dependencies, session: Session, agent: Agent, command: CommandLine, number: int) -> LaunchSpec:
    return LaunchSpec(
        name=session.id,
        argv=command.argv,
        cwd=workspace_path(deps, session),
        env=environment_of(deps, session, agent, command, number),
        directory=private(deps.home.session(session.id)),
        number=number,
    )


def _check_program(wanted: LaunchSpec, agent: Agent) -> None:
    """Say what is missing before anything is started; in its terminal nobody would read it."""
    program = wanted.argv[0]
    place = str(wanted.cwd / program) if os.sep in program else program
    if shutil.which(place, path=wanted.env.get("PATH")) is None:
        where = "" if os.sep in program else f" on the supervisor's PATH ({wanted.env.get('PATH', '')})"
        way = f"{agent.hint}; where a shell of yours finds it, start the supervisor from there: ennio stop && ennio start --detach"
        raise Refused(f"{program} is not installed, or not executable{where}; {way}")


def _write(command: CommandLine) -> None:
    for path, text in command.files.items():
        private(path.parent)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o600)


def stop(deps: Dependencies, session: Session, *, launched: bool) -> None:
    """End the agent and everything it left behind; where none was ever started, what prepares its working copy."""
    if not launched:
        _end_under_way(deps, session)
        return
    runtime = runtime_of(deps, session)
    runtime.stop(session.runtime_handle or RuntimeHandle(session.id, runtime.name))


def _end_under_way(deps: Dependencies, session: Session) -> None:
    """End all that carries the session's mark, and the hook that was begun for it, marked or not."""
    orphans.end(session.id, HOOK_GRACE, hook_run.under_way(deps.home.session(session.id)))


def attach_command(deps: Dependencies, session: Session) -> tuple[str, ...]:
    """The command that connects a person's terminal to the agent's."""
    runtime = runtime_of(deps, session)
    return runtime.attach_command(session.runtime_handle or RuntimeHandle(session.id, runtime.name))


def inspect(deps: Dependencies, session: Session) -> WorkspaceSeen:
    """What would be lost with the working copy."""
    return _workspace(deps, session).inspect(order(deps, session))


def remove(deps: Dependencies, session: Session, *, dry_run: bool = False) -> Removed:
    """Let the agent forget the place, preserve what is only there, then remove the working copy; of an ended session its folder too."""
    if not dry_run:
        _end_under_way(deps, session)
        agent_of(deps, session).forget(desk(deps, session))
    freed = _workspace(deps, session).remove(order(deps, session), dry_run=dry_run)
    if session.status.terminal and not dry_run:
        shutil.rmtree(deps.home.session(session.id), ignore_errors=True)  # prompts, keys, logs of hooks: nobody reads them any more
    return freed


def deliver(deps: Dependencies, session: Session, message: Message, mark: Callable[[], None], aside: Aside) -> Delivery:
    """Give the agent a message, past what a person has begun to type when that may be put aside."""
    begun = time.monotonic()

    def since() -> datetime:
        """When this began by the clock as it is now: it may be put back or forth meanwhile."""
        return deps.clock.now() - timedelta(seconds=time.monotonic() - begun)

    return _delivery(deps, session, _sent(deps, session)).deliver(message.text, since, mark, aside)


def put_back(deps: Dependencies, session: Session, draft: str) -> bool:
    """Type what a person had begun to type, without Enter; whether it stands in the place to type now. Raises NotFound, Unreachable."""
    return _delivery(deps, session).put_back(draft)


def _sent(deps: Dependencies, session: Session) -> tuple[str, ...]:
    """The words that were sent to the agent of late, the newest first."""
    sent = [message for message in deps.store.messages.list(session.id) if message.started_at is not None]
    return tuple(message.text for message in sorted(sent, key=lambda message: message.started_at or _EVER, reverse=True)[:_OURS])


def settle(deps: Dependencies, session: Session, message: Message, *, alive: bool) -> Delivery:
    """Find out whether a message in doubt arrived."""
    since = message.started_at or message.created_at
    if message.detail == CARRIED:
        # a launch that was found again after a crash took its prompt before it was asked for again
        return _settle_carried(deps, session, message, session.created_at if message.origin is Origin.PROMPT else since)
    entered = message.state is MessageState.SENT_UNSURE
    return _delivery(deps, session).settle(message.text, _not_ahead(deps, since), alive=alive, entered=entered)


def _not_ahead(deps: Dependencies, since: datetime) -> datetime:
    """A moment that lies ahead was told by a clock that has been put back: then it is as good as none."""
    return since if since <= deps.clock.now() else _EVER


CARRIED = "given with the command line"


def _settle_carried(deps: Dependencies, session: Session, message: Message, since: datetime) -> Delivery:
    """What was on the command line of a launch that stands has arrived, unless the agent says otherwise."""
    told = agent_of(deps, session).received(desk(deps, session), message.text, _not_ahead(deps, since))
    if told is Sighting.GONE:
        return Delivery(Arrival.UNSURE, "the agent has not said yet that it took it")
    return Delivery(Arrival.DELIVERED, "the agent says so" if told is Sighting.ALIVE else CARRIED)


def interrupt(deps: Dependencies, session: Session) -> None:
    """Press what makes the agent leave off. Raises NotFound."""
    for key in agent_of(deps, session).interrupt_keys:
        runtime_of(deps, session).press(handle_of(deps, session), key)


def answer(deps: Dependencies, session: Session, text: str) -> None:
    """Answer the question that the agent's screen shows right now. Raises Refused, NotFound, Unreachable.

    A dialog that has just come up may swallow keys: Enter is pressed only where the screen shows that the mark
    stands on what is meant.
    """
    keys = _keys(deps, session, text)
    for _ in range(MOVES):
        arrows = tuple(takewhile(_ARROWS.__contains__, keys))
        step = arrows or keys[: keys.index(Key.ENTER) + 1 if Key.ENTER in keys else len(keys)]
        _press(deps, session, step)
        if step == keys:
            return
        keys = _moved(deps, session, text, keys)
    raise Refused(f"the mark on the screen of session {session.id} does not move to what is meant; attach to the terminal and answer there")


def _press(deps: Dependencies, session: Session, keys: Sequence[Key | str]) -> None:
    runtime, handle = runtime_of(deps, session), handle_of(deps, session)
    for single in keys:
        if isinstance(single, Key):
            runtime.press(handle, single)
        else:
            runtime.paste(handle, plain(single))
        time.sleep(BETWEEN_KEYS)


def _moved(deps: Dependencies, session: Session, text: str, before: tuple[Key | str, ...]) -> tuple[Key | str, ...]:
    """The keys that are left once the screen has followed; those from before when it does not, within a second."""
    for _ in range(FOLLOWS):
        keys = _keys(deps, session, text)
        if keys != before:
            return keys
        time.sleep(BETWEEN_KEYS)
    if before[0] is Key.ENTER:  # pressed twice, it would take back what it did
        raise Refused(f"the screen of session {session.id} does not follow; attach to the terminal and answer there")
    return before


def _keys(deps: Dependencies, session: Session, text: str) -> tuple[Key | str, ...]:
    """The keys that answer the question; none when it took the answer otherwise.

    A hook can be faster than the screen that it tells of, so that is waited for a moment.
    """
    runtime, handle = runtime_of(deps, session), handle_of(deps, session)
    for again in (True, True, True, False):
        screen = runtime.screens([handle.id]).get(handle.id)
        if screen is None:
            raise NotFound(f"session {session.id} has no terminal any more")
        try:
            agent = agent_of(deps, session)
            return () if agent.reply(desk(deps, session), screen, text) else agent.answer(screen, text)
        except NothingAsked:
            if not again:
                raise
            time.sleep(SCREEN_FOLLOWS)
    raise AssertionError("the last try raises")


def handle_of(deps: Dependencies, session: Session) -> RuntimeHandle:
    """The handle as stored, or the one that follows from the id alone."""
    return session.runtime_handle or RuntimeHandle(session.id, runtime_of(deps, session).name)


def runtime_of(deps: Dependencies, session: Session) -> Runtime:
    """The runtime this session runs in."""
    return deps.plugins.runtime(session.runtime_name or deps.project(session.project_id).runtime)


def agent_of(deps: Dependencies, session: Session) -> Agent:
    """The agent this session runs, as its project wants it."""
    project = deps.project(session.project_id)
    return deps.plugins.agent(session.agent_name or project.agent, project)


def _workspace(deps: Dependencies, session: Session) -> Workspace:
    return deps.plugins.workspace(session.workspace_name or deps.project(session.project_id).workspace)


def _delivery(deps: Dependencies, session: Session, sent: Sequence[str] = ()) -> MessageDelivery:
    return MessageDelivery(runtime_of(deps, session), agent_of(deps, session), desk(deps, session), handle_of(deps, session), sent)
