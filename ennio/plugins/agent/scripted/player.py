"""``player.py STORY TRANSCRIPT [WORDS]``: an agent that plays a story in its
terminal instead of thinking.

The story is the JSON the plugin has written, the transcript its report (see ``report``), WORDS a
file with the prompt it starts with. It runs two hundred times side by side: the standard library
only, and little of that.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time

sys.path.append(os.path.abspath(__file__ + "/../../../../.."))

from ennio.plugins.agent.scripted import child, git_steps
from ennio.plugins.agent.scripted.cue import awaited, fill, pick
from ennio.plugins.agent.scripted.report import EarlierRun, Report, digest
from ennio.plugins.agent.scripted.terminal import Interrupted, PersonLeft, ScriptedTerminal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn


class WindowUsedUp(child.StepFailed):
    """A window of its plan is used up: the turn ends here, and goes on behind this once told to."""


class Player:
    """One agent at its terminal."""

    def __init__(self, story: dict[str, Any], transcript: str) -> None:
        self._turns: list[dict[str, Any]] = story["turns"]
        self._speed: float = story["speed"]
        self._names: dict[str, str] = story["names"]
        self._past = EarlierRun(transcript)
        self.report = Report(transcript)
        self.terminal = ScriptedTerminal(self._taken)
        self._prompts: list[tuple[str, str]] = list(self._past.pending.items())
        self._asking = False
        self._answer: str | None = None
        self._env = git_steps.environment()
        self._git = git_steps.GitSteps(self._run)
        self._output = os.path.join(os.path.dirname(transcript), "output.log")

    def perform(self, words: str) -> None:
        """Play until the input ends; ``words`` is what it starts with, if anything."""
        self.terminal.open()
        self.terminal.line(
            f"Scripted agent of {self._names['session']}, on "
            f"{self._names['branch'] or 'its branch'}."
        )
        launch = os.environ.get("ENNIO_LAUNCH", "")
        self.report.write("ready", pid=os.getpid(), ppid=os.getppid(), launch=launch)
        if words and digest(words) != self._past.last:
            self._taken(words)
        while True:
            self._rest()
            self._play(*self._prompts.pop(0))

    def _rest(self) -> None:
        self.terminal.title("ready")
        self.terminal.line(
            "Ready. Type a prompt, Enter sends it; Escape interrupts, Ctrl-D leaves."
        )
        self.terminal.draw()
        while not self._prompts:
            self.terminal.pause(None)

    def _taken(self, text: str) -> None:
        name = self.report.prompt(text, answer=self._asking)
        if self._asking:
            self._answer = text
        else:
            self._prompts.append((name, text))

    def _play(self, name: str, text: str) -> None:
        number = pick(self._turns, text, self._past.played, first=self._past.turns == 0)
        self._past.turns += 1
        going_on = self._interrupted_turn() if number is None else None
        number, step, words = going_on or (number, 0, text)
        if number is not None and going_on is None:
            self._past.played[number] = self._past.played.get(number, 0) + 1
        told = {} if going_on is None else {"from_step": step}
        self.report.write("turn_started", id=name, turn=number, **told)
        self._names["prompt"] = words
        self.terminal.busy = True
        self.terminal.title("working")
        self.terminal.line(f"\n» {text.splitlines()[0][:100]}")
        self.terminal.line("working (esc to interrupt)")
        ended = self._unanswered() if number is None else self._act(number, step)
        self.terminal.busy = self._asking = False
        cut = ended.get("cut")
        if number is not None and cut is not None:
            self._past.cut = (number, cut, words)
        elif going_on is not None:
            self._past.cut = None
        self.report.write("turn_ended", id=name, **ended)

    def _interrupted_turn(self) -> tuple[int, int, str] | None:
        """The turn that was interrupted: words that no turn is for make it go on."""
        cut = self._past.cut
        there = cut is not None and cut[0] < len(self._turns)
        return cut if cut and there and cut[1] < len(self._turns[cut[0]]["steps"]) else None

    def _unanswered(self) -> dict[str, Any]:
        """No turn is for these words: that is said, and for which there are any."""
        waits = awaited(self._turns, self._past.played)
        said = "; it waits for " + ", ".join(waits) if waits else ", and waits for none any more"
        self._say(f"My story has no turn for these words{said}.")
        text = f"its story has no turn for the last words{said}"
        return {"ok": True, "interrupted": False, "text": text}

    def _act(self, number: int, first: int) -> dict[str, Any]:
        """Play a turn from this step on; how it ended, and at which step (``cut``) it goes on."""
        at, steps = first, self._turns[number]["steps"]
        try:
            if not steps:
                self._say("My story says nothing about this.")
            while at < len(steps):
                self.terminal.pause(0)
                getattr(self, "_step_" + steps[at]["do"])(
                    {key: self._filled(value) for key, value in steps[at].items()}
                )
                at += 1
        except Interrupted:
            self._say("Interrupted.")
            return {"ok": False, "interrupted": True, "cut": at}
        except (child.StepFailed, OSError) as error:
            self.report.write("error", text=str(error))
            self._say(f"That failed: {error}")
            cut = {"cut": at + 1} if isinstance(error, WindowUsedUp) else {}
            return {"ok": False, "interrupted": False, **cut}
        return {"ok": True, "interrupted": False}

    def _filled(self, value: Any) -> Any:
        if isinstance(value, str):
            return fill(value, self._names)
        if isinstance(value, list):
            return [self._filled(element) for element in value]
        return (
            {self._filled(k): self._filled(v) for k, v in value.items()}
            if isinstance(value, dict)
            else value
        )

    def _say(self, text: str) -> None:
        self.terminal.line(f"* {text}")

    def _run(self, argv: Any) -> tuple[int, str]:
        return child.run([str(word) for word in argv], self._env, self._output, self.terminal.pause)

    def _base(self, step: dict[str, Any]) -> tuple[str, dict[str, str], str]:
        return (
            step.get("base") or self._names["base"] or self._git.base(),
            step.get("resolve", {}),
            step.get("otherwise", "ours"),
        )

    # the steps of a story, by their names in it

    def _step_say(self, step: dict[str, Any]) -> None:
        self._say(step["text"])
        self.report.write("activity", activity="active", text=step["text"])

    def _step_think(self, step: dict[str, Any]) -> None:
        self.report.write("activity", activity="active", text="thinking")
        self.terminal.pause(step["seconds"] / self._speed)

    def _step_edit(self, step: dict[str, Any]) -> None:
        replace = step.get("replace") or {"old": "", "new": ""}
        git_steps.edit(
            step["file"], step.get("content"), step.get("append"), replace["old"], replace["new"]
        )
        self._done(f"wrote {step['file']}")

    def _step_delete(self, step: dict[str, Any]) -> None:
        os.unlink(step["file"])
        self._done(f"deleted {step['file']}")

    def _step_commit(self, step: dict[str, Any]) -> None:
        self._done(self._git.commit(step["message"]))

    def _step_push(self, step: dict[str, Any]) -> None:
        self._done(self._git.push(force=step.get("force", False)))

    def _step_pull(self, step: dict[str, Any]) -> None:
        self._done(self._git.pull(*self._base(step)))

    def _step_rebase(self, step: dict[str, Any]) -> None:
        self._done(self._git.rebase(*self._base(step)))

    def _step_run(self, step: dict[str, Any]) -> None:
        code, output = self._run(step["argv"])
        self.terminal.write(output)
        if code and not step.get("may_fail"):
            raise child.StepFailed(
                f"{step['argv'][0]} ended with exit code {code}: {output.strip()[-400:]}"
            )
        self._done(f"ran {step['argv'][0]}, exit code {code}")

    def _done(self, text: str) -> None:
        self._say(text)
        self.report.write("activity", activity="active", text=text)

    def _step_ask(self, step: dict[str, Any]) -> None:
        options = [str(option) for option in step.get("options", [])]
        self._asking, self._answer = True, None
        self.report.write("waiting", question=step["question"], options=options)
        self.terminal.line(f"? {step['question']}")
        for number, option in enumerate(options, 1):
            self.terminal.line(f"  {number}. {option}")
        while self._answer is None:
            self.terminal.pause(None)
        self._asking = False
        self._names["answer"] = (
            options[int(self._answer) - 1] if _is_chosen(self._answer, options) else self._answer
        )
        self._done(f"answered: {self._names['answer'][:80]}")

    def _step_summary(self, step: dict[str, Any]) -> None:
        self._say(step["text"])
        self.report.write("summary", text=step["text"])

    def _step_error(self, step: dict[str, Any]) -> None:
        self._say(f"error: {step['text']}")
        self.report.write("error", text=step["text"])
        self.report.write("activity", activity="blocked", text=step["text"])
        self.terminal.pause(step.get("seconds", 0) / self._speed)

    def _step_burn(self, step: dict[str, Any]) -> None:
        name = f"m{os.urandom(8).hex()}"
        tokens = {"input": step.get("input", 0), "output": step.get("output", 0)}
        # an agent that streams tells of the same message several times
        cost = str(step["cost"]) if "cost" in step else None
        for _ in range(step.get("lines", 1)):
            self.report.write(
                "usage", id=name, **tokens, cost=cost, model=step.get("model", "scripted")
            )

    def _step_window(self, step: dict[str, Any]) -> None:
        name, used = step.get("name", "five_hour"), step.get("used")
        until = round(time.time() + step["resets_in"], 3) if "resets_in" in step else None
        told = {"name": name, "account": step.get("account", ""), "resets_at": until}
        if used is not None and used < 100:
            self.report.write("window", **told, used=used)
            return
        self.report.write("window", **told, used=100, refused=True)
        raise WindowUsedUp(f"the plan window {name} is used up")

    def _step_helpers(self, step: dict[str, Any]) -> None:
        self.report.write("helpers", count=step["count"])

    def _step_request(self, step: dict[str, Any]) -> None:
        from ennio.plugins.agent.scripted import model_request  # noqa: PLC0415 - few need it

        model = step.get("model", "scripted")
        answer = model_request.asked(
            step.get("api", "messages"),
            step.get("words", "go on"),
            model,
            step.get("tries", 10),
            step.get("every", 0.5),
            self.terminal.pause,
        )
        name, given, made = model_request.usage_of(answer)
        self.report.write("usage", id=name, input=given, output=made, cost=None, model=model)
        self._done(f"asked the model: {name}")

    def _step_junk(self, step: dict[str, Any]) -> None:
        noise = bytes(
            byte if byte % 7 else 10
            for byte in os.urandom(step["bytes"])
            if byte not in (0x1B, 0x9B)
        )
        if step.get("transcript"):
            self.report.raw(noise + b"\n")
        else:
            self.terminal.raw(noise + b"\n")

    def _step_flood(self, step: dict[str, Any]) -> None:
        for number in range(step["lines"]):
            self.terminal.line(f"{number:8d} {'·' * 60}")
            self.terminal.pause(0)

    def _step_background(self, step: dict[str, Any]) -> None:
        self.report.write("background", pid=child.leave_behind(step["seconds"]))

    def _step_hang(self, step: dict[str, Any]) -> NoReturn:
        while True:
            signal.pause()

    def _step_crash(self, step: dict[str, Any]) -> None:
        if "code" in step:
            os._exit(step["code"])
        os.kill(os.getpid(), step.get("signal", signal.SIGKILL))

    def _step_exit(self, step: dict[str, Any]) -> NoReturn:
        raise SystemExit(step.get("code", 0))


def _is_chosen(answer: str, options: list[str]) -> bool:
    return answer.isdecimal() and 0 < int(answer) <= len(options)


def _ended(number: int, frame: object) -> NoReturn:  # noqa: ARG001 - a signal handler
    raise SystemExit(128 + number)


def main(story: str, transcript: str, words: str = "") -> None:
    """Play, and tell how it ended."""
    with open(story, encoding="utf-8") as file:
        player = Player(json.load(file), transcript)
    if words:
        with open(words, encoding="utf-8", newline="") as file:
            words = file.read().strip()
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    code = 0
    try:
        player.perform(words)
    except PersonLeft:
        pass
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    player.report.write("exit", code=code)
    player.terminal.close()
    sys.exit(code)


if __name__ == "__main__":
    main(*sys.argv[1:])
