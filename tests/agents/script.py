"""The script of the model, which stands in the prompt itself, one step a line.

An answer of the agent's tool moves it on.

    :say WORDS        end the turn with these words (a turn without one ends with "Done.")
    :run COMMAND      use the agent's shell
    :ask COMMAND      the same, where the agent is expected to ask for permission first
    :use TOOL JSON    use any tool of the agent's, given this; where it asks a person, :wait TOOL
                      JSON; $PLAN is where plans go
    :think SECONDS    take this long before the next step is answered
    :helper NAME      no step: whoever is given these words is a helper that the agent began itself

So the model needs no state of its own, and a conversation that is resumed goes on where it was.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

STEP = re.compile(r"^[ \t]*:(say|run|ask|use|wait|think)[ \t]+(.+?)[ \t]*$", re.MULTILINE)
HELPER = re.compile(r"^[ \t]*:helper[ \t]+(\S+)", re.MULTILINE)
_PLANS = re.compile(r"/[^\s\"\\`]*/plans/[^\s\"\\`]+\.md")
SHELLS = ("Bash", "bash", "shell_command", "exec_command", "shell", "local_shell")


@dataclass(frozen=True, slots=True)
class Step:
    """What is answered: a command for the agent's shell, another tool and its input, or words that
    end the turn; after a pause.
    """

    command: str | None = None
    words: str = "Done."
    asks: bool = False
    pause: float = 0.0
    tool: tuple[str, str] | None = None

    @property
    def ends(self) -> bool:
        """Whether the turn is over with it."""
        return self.command is None and self.tool is None


@dataclass(frozen=True, slots=True)
class Asked:
    """A request in one shape: the prompt that counts, the tool answers since, the tools there are;
    all that moves a script.
    """

    words: str
    answers: int
    tools: dict[str, dict[str, Any]]
    model: str
    stream: bool
    heard: tuple[str, ...] = ()


def steps(words: str) -> list[Step]:
    """The steps of a prompt; the last one always ends the turn."""
    found: list[Step] = []
    pause = 0.0
    for kind, rest in STEP.findall(words):
        if kind == "think":
            pause = float(rest)
            continue
        found.append(_step(kind, rest, pause))
        pause = 0.0
    return found if found and found[-1].ends else [*found, Step(pause=pause)]


def _step(kind: str, rest: str, pause: float) -> Step:
    if kind == "say":
        return Step(words=rest, pause=pause)
    if kind in ("run", "ask"):
        return Step(rest, asks=kind == "ask", pause=pause)
    tool, _, given = rest.partition(" ")
    json.loads(given)  # a test that cannot be read is wrong here, and not in an agent
    return Step(asks=kind == "wait", pause=pause, tool=(tool, given))


def helper(words: str) -> str:
    """The name of the helper whose words these are; empty when they are for the agent itself."""
    found = HELPER.search(words)
    return found[1] if found else ""


def step_of(asked: Asked, script: Sequence[Step]) -> Step:
    """The step of the script that is due."""
    due = script[min(asked.answers, len(script) - 1)]
    if due.tool is not None:
        return (
            due
            if due.tool[0] in asked.tools
            else Step(words=f"There is no {due.tool[0]}, but {', '.join(asked.tools)}.")
        )
    if (
        due.command is not None and not asked.tools
    ):  # an agent without tools finds the command in the words
        return Step(words=f"```bash\n{due.command}\n```", asks=True, pause=due.pause)
    return due if due.command is None or shell_of(asked.tools) else Step(words="There is no shell.")


def placed(step: Step, body: str) -> Step:
    """The step with the file that the agent wants a plan in, as it stands in its request."""
    found = _PLANS.findall(body)
    return (
        replace(step, tool=(step.tool[0], step.tool[1].replace("$PLAN", found[-1])))
        if step.tool is not None and found
        else step
    )


def shell_of(tools: dict[str, dict[str, Any]]) -> str | None:
    """The name of the agent's shell among its tools."""
    return next((name for name in SHELLS if name in tools), None)


def arguments(tool: str, schema: dict[str, Any], command: str, *, asks: bool) -> dict[str, Any]:
    """How this agent's shell wants its command; ``asks`` where the model itself
    has to want a permission.
    """
    properties = schema.get("properties", {})
    wanting = {
        "sandbox_permissions": "require_escalated",
        "justification": "May I run a step of the script?",
    }
    if tool == "exec_command":
        return {"cmd": command} | (wanting if asks and "sandbox_permissions" in properties else {})
    if properties.get("command", {}).get("type") == "array":
        return {"command": ["bash", "-c", command]}
    given: dict[str, Any] = {"command": command}
    return given | ({"description": "a step of the script"} if "description" in properties else {})


Reacts = Callable[[str], Sequence[Step] | None]
