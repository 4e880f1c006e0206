"""Real agents under a real supervisor, talking to the scripted model; and a judge of
what Ennio said meanwhile.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import EnnioError
from tests.agents import figures
from tests.agents.model import Model
from tests.conftest import eventually
from tests.e2e.house import Ground, Supervised, close, configure, ground_at, project, repository

LATE = 2.0  # seconds Ennio may need to notice
EARLY = 1.0  # seconds an agent on a busy machine may take from a prompt to its first request
SHARE = (
    0.99  # of the samples of one run have to be right; of all runs of an agent more, see __main__
)
SHARE_WHEN_BUSY = 0.9  # opencode alone then takes seconds to end its own turn
WRONG = 10.0  # seconds it may never be wrong for; see there, too
EVERY = 0.5
REST = 0.5
PATIENCE = 90.0  # seconds for what takes as long as the machine takes
ASIDE = 3.0  # seconds after which a message puts aside what a person has begun to type
POLL = {"runtime": 0.5, "agent": 0.5, "forge": 1}
KEY = "sk-test-12345678901234567890"


def installed(executable: str) -> Path:
    """The folder of an agent that was installed for tests; without it the test is skipped,
    loudly, and fails under CI.
    """
    if os.environ.get("CI") and not os.environ.get("ENNIO_AGENTS"):
        pytest.skip("the real agents are not part of this run: bin/test --agents")
    cache = Path(os.environ.get("ENNIO_AGENTS") or Path.home() / ".cache" / "ennio" / "agents")
    if (cache / "bin" / executable).exists():
        return cache / "bin"
    message = (
        f"{executable} is not in {cache}: the real agent was NOT tested; `bin/test --agents` "
        "installs it"
    )
    if os.environ.get("CI") and os.environ.get("ENNIO_AGENTS"):
        pytest.fail(message)
    pytest.skip(message)


Allowed = frozenset[str]


@dataclass(slots=True)
class Bench:
    """One house with one agent and its model. ``marks`` are what the test itself did, and
    what is right from then on.
    """

    house: Supervised
    model: Model
    session: str = ""
    samples: list[tuple[float, str | None]] = field(default_factory=list)
    marks: list[tuple[float, Allowed]] = field(default_factory=list)
    _stop: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def spawn(self, words: str, *, judged: bool = False) -> None:
        """Begin a session; ``judged``: what Ennio says of it is sampled from now on."""
        self.session = self.house.spawn(words)
        self.mark("spawned", None, "ready", "active")
        if judged:
            self._thread = threading.Thread(target=self._sample, daemon=True)
            self._thread.start()

    def _sample(self) -> None:
        while not self._stop.wait(EVERY):
            before = time.time()
            try:
                activity = self.house.session(self.session)["activity"]
            except Exception:  # noqa: BLE001, S112 - a supervisor that is away is no sample
                continue
            self.samples.append((before, activity))

    def mark(self, _why: str, *allowed: str | None) -> None:
        """From now on, and until the model is asked again, this is right."""
        self.marks.append((time.time(), frozenset(str(one) for one in allowed)))

    def goes_on(self, seconds: float) -> None:
        """Let it be as it is for so long, so that there are samples of it."""
        threading.Event().wait(seconds)

    # --- what a person does -----------------------------------------------------------------------

    def keys(self, *keys: str) -> None:
        """Press keys in the agent's terminal, as a person who attached to it."""
        done = self.house.ground.tmux("send-keys", "-t", f"={self.session}:", *keys)
        assert done.returncode == 0, done.stderr

    def presses(self, *keys: str) -> None:
        """Press keys of which each changes what the agent shows, if only a colour, and
        wait for that each time.
        """
        for key in keys:
            self._presses(key)

    def _presses(self, key: str) -> None:
        before = self.screen("-e")
        self.keys(key)
        self.sees(lambda: self.screen("-e") != before, 30, f"{key} changes the screen:\n{before}")
        self.comes_to_rest()

    def types(self, words: str) -> None:
        """Type words into an agent that rests, and wait until they stand there; what is typed on at
        once is taken for a paste by some.
        """
        self.keys("-l", words)
        self.shows(re.escape(words))
        self.comes_to_rest()

    def shows(self, pattern: str, within: float = 30.0) -> None:
        """Wait until its screen shows this."""
        self.sees(lambda: re.search(pattern, self.screen()), within, f"{pattern} is shown")

    def hides(self, pattern: str, within: float = 30.0) -> None:
        """Wait until its screen does not show this any more."""
        self.sees(
            lambda: not re.search(pattern, self.screen()), within, f"{pattern} is shown no more"
        )

    def sees(self, condition: Callable[[], object], within: float, why: str) -> object:
        """Wait as ``eventually`` does. Its screen is told where that fails, and not captured
        at each look: a program would be started for it each time.
        """
        try:
            return eventually(condition, within, why)
        except pytest.fail.Exception as failure:
            pytest.fail(f"{failure}\n{self.screen()}")

    def comes_to_rest(self) -> None:
        """Wait until nothing has moved on its screen for a while."""

        def rests() -> bool:
            before = self.screen("-e")
            self.goes_on(REST)
            return self.screen("-e") == before

        self.sees(rests, 30, "the screen comes to rest")

    def screen(self, *options: str) -> str:
        return self.house.ground.tmux(
            "capture-pane", "-p", *options, "-t", f"={self.session}:"
        ).stdout

    def line(self) -> str:
        """The line in which its cursor stands."""
        row = self.house.ground.tmux(
            "display-message", "-p", "-t", f"={self.session}:", "#{cursor_y}"
        ).stdout
        return self.screen().splitlines()[int(row)]

    def say(self, words: str) -> None:
        self.house.client.post(f"/sessions/{self.session}/send", {"message": words})

    def answer(self, words: str) -> None:
        """Answer its question through the API, and again where a dialog that has just come
        up lost the first Enter.
        """
        try:
            self.house.client.post(f"/sessions/{self.session}/answer", {"answer": words})
        except EnnioError as error:
            if "nothing moved" not in str(error):
                raise
            print(f"\n{error}", flush=True)
            self.house.client.post(f"/sessions/{self.session}/answer", {"answer": words})

    def pid(self) -> int:
        """The agent's own process."""
        done = self.house.ground.tmux("list-panes", "-t", f"={self.session}:", "-F", "#{pane_pid}")
        return int(done.stdout)

    def view(self) -> dict[str, Any]:
        return self.house.session(self.session)

    def becomes(self, activity: str, within: float = 30.0) -> dict[str, Any]:
        """Wait until the activity is this."""

        def reached() -> dict[str, Any]:
            view = self.view()
            told = {key: view[key] for key in ("status", "activity", "question", "reason")}
            assert view["activity"] in (activity, "idle" if activity == "ready" else activity), told
            over = view["status"] not in ("spawning", "working")  # once what it left was ended
            assert over or activity != "exited", told
            return view

        found: dict[str, Any] = self.sees(reached, within, f"it is {activity}")  # type: ignore[assignment]
        return found

    def ends_turns(self, number: int, within: float = 30.0) -> None:
        """Wait until the model has ended so many turns."""

        def done() -> bool:
            assert self.model.turns() >= number, (
                f"{self.model.turns()} turns; {self.model.log[-3:]}"
            )
            return True

        self.sees(done, within, f"{number} turns")

    def rests(self) -> None:
        """It has nothing more to do; it stays right until something happens. How late that is told
        is for the judge to say.
        """
        self.becomes("ready")

    def delivered(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = self.house.client.get(f"/sessions/{self.session}/messages")
        return messages

    def tells_tokens(self, within: float = 5.0) -> None:
        """Wait until the session's usage is exactly what the model served it, each answer once."""

        def same() -> bool:
            told, served = (
                self.view()["usage"],
                [served for served in self.model.good if served.scripted],
            )
            expected = (
                sum(one.input_tokens for one in served),
                sum(one.output_tokens for one in served),
            )
            answers = [
                (one.id, one.end, one.words[-40:], round(one.ended - one.began, 1))
                for one in self.model.log
            ]
            assert (told["input_tokens"], told["output_tokens"]) == expected, (
                told,
                expected,
                answers,
            )
            return True

        eventually(same, within, "the tokens are those that were served")

    # --- judgement --------------------------------------------------------------------------------

    def moments(self) -> list[tuple[float, Allowed]]:
        """Each moment from which on something else was right, by the model's log
        and the test's own deeds.
        """
        found = list(self.marks)
        for served in self.model.log:
            if not served.scripted or (served.helper and served.end != "ask"):
                # what a helper does is nothing that the agent does; what it asks is asked of a
                # person
                continue
            if not served.helper:
                found.append(
                    (
                        served.began,
                        frozenset({"blocked", "active"} if served.code != 200 else {"active"}),
                    )
                )
            if served.ended and served.code == 200 and not self._died(served.began, served.ended):
                then = {
                    "final": "ready",
                    "broken": "ready",
                    "ask": "waiting_input",
                    "tool": "active",
                }[served.end]
                found.append((served.ended, frozenset({then})))
        return sorted(found, key=lambda moment: moment[0])

    def _died(self, began: float, ended: float) -> bool:
        """Whether the agent was killed meanwhile: what the model notices of that comes late, and
        says nothing of the next life.
        """
        return any(began < at <= ended and allowed == {"exited"} for at, allowed in self.marks)

    def truth(self, at: float) -> Allowed:
        """What is right at this moment."""
        # what the model notices of an agent that is dead comes late
        ended = max(
            (moment for moment, allowed in self.marks if moment <= at and allowed == {"exited"}),
            default=None,
        )
        if ended is not None and not any(ended < moment <= at for moment, _ in self.marks):
            return frozenset({"exited"})
        last = [allowed for moment, allowed in self.moments() if moment <= at][-1:] or [
            frozenset({"None"})
        ]
        return last[0] | ({"idle"} if "ready" in last[0] else set())

    def is_right(self, activity: str, at: float) -> bool:
        """Whether it was right at any time from two seconds before; what was right for a
        moment only counts as well.
        """
        between = [moment for moment, _ in self.moments() if at - LATE <= moment <= at + EARLY]
        return any(activity in self.truth(moment) for moment in (at - LATE, at, *between))

    @contextmanager
    def scene(self, name: str) -> Iterator[None]:
        """A part of the whole with figures of its own; at its end the tokens must
        be those that were served.
        """
        began, before = time.time(), self.served()
        yield
        self.tells_tokens(15)
        self._keep(name, [sample for sample in self.samples if sample[0] >= began], before)

    def served(self) -> tuple[int, int]:
        """The tokens that were served for the script so far."""
        served = [one for one in self.model.good if one.scripted]
        return sum(one.input_tokens for one in served), sum(one.output_tokens for one in served)

    def _keep(
        self,
        scene: str,
        samples: list[tuple[float, str | None]],
        before: tuple[int, int] = (0, 0),
        *,
        whole: bool = False,
    ) -> dict[str, float]:
        judged, tokens, agent = self.judge(samples, scene), self.served(), self.view()["agent_name"]
        served = tokens[0] - before[0], tokens[1] - before[1]
        figures.keep(
            figures.Figures(
                agent, scene, len(samples), judged["share"], judged["longest"], *served, whole=whole
            )
        )
        return judged

    def is_judged(self, scene: str = "day") -> None:
        """Print and keep the figures of the whole, and hold them to what is promised."""
        self._stop.set()
        assert self.samples, "nobody looked"
        judged = self._keep(scene, self.samples, whole=True)
        assert judged["share"] >= (SHARE_WHEN_BUSY if figures.overloaded() else SHARE)
        assert judged["longest"] <= WRONG

    def judge(self, samples: list[tuple[float, str | None]], scene: str = "") -> dict[str, float]:
        """How often it was right within two seconds, and for how long it was wrong at most."""
        wrong_since, longest, wrong = 0.0, 0.0, []
        for at, told in samples:
            activity = str(told)
            if activity in self.truth(at):
                wrong_since = 0.0
            else:
                wrong_since = wrong_since or at
                longest = max(longest, at - wrong_since + EVERY)
            if not self.is_right(activity, at):
                wrong.append((round(at - samples[0][0], 1), activity, sorted(self.truth(at))))
        share = 1 - len(wrong) / max(len(samples), 1)
        told = (
            f"{len(samples)} samples, {share:.1%} right within {LATE} s, wrong for {longest:.1f} "
            f"s at most; wrong: {wrong}"
        )
        print(f"\n{scene}: {told}", flush=True)
        return {"share": share, "longest": longest}


Settle = Callable[[Ground, Model], dict[str, str]]


@contextmanager
def bench(
    root: Path,
    bin_folder: Path,
    agent: str,
    config: Mapping[str, Any],
    settle: Settle,
    of_project: Callable[[Model], Mapping[str, Any]] = lambda _model: {},
    **settings: Any,
) -> Iterator[Bench]:
    """A house whose one project uses the agent; ``settle`` makes the person's own files and says
    the project's environment. ``of_project`` is what else the project says, ``settings`` are those
    of the whole file.
    """
    with Model() as model, ground_at(root, f"{bin_folder}:{os.environ['PATH']}") as ground:
        repository(ground)
        env = settle(ground, model)
        standard = project(ground, agent=agent, agent_config=dict(config), env=env, scm_config=None)
        standard |= of_project(model)
        configure(
            ground,
            {key: value for key, value in standard.items() if value is not None},
            poll=POLL,
            person_patience=ASIDE,
            **settings,
        )
        house = Supervised(ground)
        house.start()
        made = Bench(house, model)
        try:
            yield made
            close(house)
        finally:
            made._stop.set()
            if house.process is not None and house.process.poll() is None:
                house.kill_everything()


def claude_home(ground: Ground, model: Model) -> dict[str, str]:
    """A person who has been through claude-code's first start, and has approved the key."""
    person = ground.root / "person"
    settings = {"hasCompletedOnboarding": True, "customApiKeyResponses": {"approved": [KEY[-20:]]}}
    (person / ".claude.json").write_text(json.dumps(settings))
    return {"ANTHROPIC_BASE_URL": model.base, "ANTHROPIC_API_KEY": KEY}


def codex_home(ground: Ground, model: Model) -> dict[str, str]:
    """A person who has told codex of a provider of their own."""
    folder = ground.root / "person" / ".codex"
    folder.mkdir()
    provider = (
        f'[model_providers.loop]\nname = "loop"\nbase_url = "{model.base}/v1"\nwire_api = '
        '"responses"\nenv_key = "LOOP_KEY"\n'
    )
    (folder / "config.toml").write_text(f'model = "scripted"\nmodel_provider = "loop"\n{provider}')
    return {"LOOP_KEY": "k"}


def aider_home(ground: Ground, model: Model) -> dict[str, str]:
    """A person who has never started aider, behind a proxy that is not there: it looks for tables
    on the network before it counts, and where nobody answers it waits for minutes.
    """
    away = {"HTTPS_PROXY": "http://127.0.0.1:9", "NO_PROXY": "127.0.0.1,localhost"}
    return {"OPENAI_API_BASE": f"{model.base}/v1", "OPENAI_API_KEY": KEY, **away}


def opencode_home(ground: Ground, model: Model) -> dict[str, str]:
    """The person of ``opencode_first``, who has started it before: then it installed what plugins
    are written with, sixty megabytes from the network. Its animations, which draw the whole screen
    25 times a second, they have switched off. Both keep a processor busy that all tests share.
    """
    env, person = opencode_first(ground, model), ground.root / "person"
    folder, state = person / ".config" / "opencode", person / ".local" / "state" / "opencode"
    (folder / "node_modules").mkdir()
    root = {"dependencies": {"@opencode-ai/plugin": "*"}}  # all that it asks whether it is there
    (folder / "package-lock.json").write_text(json.dumps({"packages": {"": root}}))
    state.mkdir(parents=True)
    (state / "kv.json").write_text(json.dumps({"animations_enabled": False}))
    return env


def opencode_first(ground: Ground, model: Model) -> dict[str, str]:
    """A person who has told opencode of a provider of their own, and wants to
    be asked before commands.
    """
    folder = ground.root / "person" / ".config" / "opencode"
    folder.mkdir(parents=True)
    models = {
        "scripted": {"name": "scripted", "cost": {"input": 1, "output": 2, "cache_read": 0.1}}
    }
    options = {"baseURL": f"{model.base}/v1", "apiKey": "k"}
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "loop",
        "options": options,
        "models": models,
    }
    (folder / "opencode.json").write_text(
        json.dumps({"provider": {"loop": provider}, "permission": {"bash": "ask"}})
    )
    return {}


Scenes = Sequence[tuple[str, Callable[[Bench], None]]]
FEW = 2
"""So many of an agent's scenes are played in its day; the others only where nothing but the agents
is run, for a run of everything has to end in time.
"""


def play(at: Bench, scenes: Scenes) -> None:
    """Play those that no day plays one after the other in one session. ``$ENNIO_SCENES`` names
    those that are wanted instead, with commas between them.
    """
    wanted = [
        name.strip() for name in os.environ.get("ENNIO_SCENES", "").split(",") if name.strip()
    ]
    at.spawn(":say good morning", judged=True)
    at.ends_turns(1, PATIENCE)
    at.rests()
    for name, scene in scenes:
        if name in wanted or (not wanted and (name, scene) not in scenes[:FEW]):
            with at.scene(name):
                scene(at)
    at.is_judged("all scenes")
