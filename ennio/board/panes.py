"""What is shown of one session beside or below the table: why, timeline, messages, output, files,
pull request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from ennio.board.columns import checks, colour, waited
from ennio.board.quantities import age, moment, span
from ennio.board.row import Row, words
from ennio.board.style import bare
from ennio.board.table import cells, cut, pad
from ennio.board.view import TABS, BoardView
from ennio.model.plural import number_of

Document = Mapping[str, Any]
_FOLDED = 600.0
"""A gap of so many seconds takes no room of its own on the timeline."""
_LINES = 2000
"""Of a longer text so many lines are drawn; every frame draws them anew."""
_LOG = 12


def pane(view: BoardView, width: int, room: int) -> list[str]:
    """The lines of the pane, no more than there is room for."""
    row = view.row
    if row is None:
        return [view.style.paint("muted", cut(" no session here", width))][:room]
    head = _head(view, row, width)
    told = _Pane(view, row, width - 1)
    lines = told.lines()
    top = max(0, min(view.pane_top, len(lines) - max(1, room - len(head))))
    if view.tab == "output" and not view.pane_top:
        top = max(0, len(lines) - max(1, room - len(head)))
    elif view.tab == "output":
        top = max(0, len(lines) - max(1, room - len(head)) - view.pane_top)
    return [*head, *(f" {line}" for line in lines[top:])][:room]


def _head(view: BoardView, row: Row, width: int) -> list[str]:
    paint, glyphs = view.style.paint, view.glyphs
    mark = glyphs.of_turn(row.turn, row.word)
    title = cut(f" {row.id}  {row.title}", width)
    parts = [
        f"{mark} {row.word} for {waited(row.since, view.at)}",
        row.activity if row.activity != row.word else "",
        row.agent,
        row.project,
        row.cost,
    ]
    said = cut(" " + " · ".join(filter(None, parts)), width)
    branch = cut(" " + "  ".join(filter(None, (row.branch, _diff(row, view)))), width)
    tabs = " ".join(_tab(view, row, tab) for tab in TABS)
    painted = [paint("strong", title), paint(colour(row), said), paint("muted", branch)]
    line = cut(f" {tabs}", width)
    rule = paint("muted", f" {glyphs.rule * max(0, width - 1)}")
    return [*painted, line.replace(f"[{view.tab}]", paint("strong", f"[{view.tab}]")), rule]


def _tab(view: BoardView, row: Row, tab: str) -> str:
    told = view.peek.told if view.peek.id == row.id else {}
    count = {
        "messages": len(told.get("messages") or ()),
        "files": row.diff[2] if row.diff else 0,
    }.get(tab, 0)
    return f"[{tab}]" if tab == view.tab else f"{tab} {count}" if count else tab


def _diff(row: Row, view: BoardView) -> str:
    if row.diff is None or not any(row.diff):
        return ""
    added, removed, files = row.diff
    return f"+{added} {view.glyphs.minus}{removed}  {number_of(files, 'file')}"


class _Pane:
    """One pane as it is being written."""

    def __init__(self, view: BoardView, row: Row, width: int) -> None:
        self.view, self.row, self.width = view, row, width
        peek = view.peek
        self.told: Mapping[str, Any] = peek.told if peek.id == row.id else {}
        self.faults: Mapping[str, str] = peek.faults if peek.id == row.id else {}

    def lines(self) -> list[str]:
        """Those of the chosen tab."""
        made: Mapping[str, Callable[[], list[str]]] = {
            "why": self.overview,
            "timeline": self.timeline,
            "messages": self.messages,
            "output": self.output,
            "files": self.files,
            "pr": self.pull,
        }
        return made.get(self.view.tab, self.overview)()

    def _muted(self, text: str) -> str:
        return self.view.style.paint("muted", cut(text, self.width))

    def _strong(self, text: str) -> str:
        return self.view.style.paint("strong", cut(text, self.width))

    def _absent(self, tab: str, none: str) -> list[str]:
        """Why there is nothing: it could not be told, is not there yet, or there is none."""
        if tab in self.faults:
            return self._wrapped(self.faults[tab], self._muted)
        return [self._muted("asking ..." if tab not in self.told else none)]

    def _wrapped(self, text: str, paint: Callable[[str], str] | None = None) -> list[str]:
        lines = wrapped(words(text), self.width)
        return [paint(line) for line in lines] if paint else lines

    def overview(self) -> list[str]:
        """Why first, and of the rest what there is."""
        lines = [*self.why(), *self.around(), *self.conflicts()]
        if self.told.get("evidence"):
            lines += ["", self._strong("timeline"), *self.timeline()[-4:]]
        if waits := [one for one in self.told.get("messages") or () if _waits(one)]:
            lines += ["", self._strong("messages that wait"), *self._letters(waits[-3:])]
        output = self.told.get("output")
        if isinstance(output, str) and output.strip():
            lines += ["", self._strong("output"), *self.output()[-10:]]
        return lines

    def why(self) -> list[str]:
        """Whose turn it is by which rule, its question, and each fact with its source and age."""
        row = self.row
        lines = []
        if row.question:
            asked = f"asks: {row.question}"
            lines += self._wrapped(asked, lambda text: self.view.style.paint("you", text))
            lines += [cut(f"  {at}  {one}", self.width) for at, one in enumerate(row.options, 1)]
            lines.append("")
        rule = f" (rule {row.rule})" if row.rule else ""
        why = "a question is open" if row.question == row.why and row.question else row.why
        lines += self._wrapped(f"turn: {row.turn}, {row.word}{rule}: {why}")
        evidence = self.told.get("evidence")
        if not evidence:
            return [*lines, *self._absent("evidence", "no evidence was kept")]
        newest = evidence[0]
        lines += self._wrapped(f"status {newest['status']}: {newest['rule']}")
        lines += [self._fact(fact) for fact in newest.get("facts") or ()]
        return lines

    def around(self) -> list[str]:
        """That its agent is kept in a sandbox, and by what people share its terminal."""
        isolation, by = (words(self.row.document.get(key)) for key in ("isolation", "shared_by"))
        lines = [f"its agent is kept in a sandbox ({isolation})"] if isolation else []
        shared = (
            f"its terminal is shared by {by.replace('_', ' ')}: ennio session info {self.row.id}"
        )
        lines += [shared] if by else []
        return [one for line in lines for one in self._wrapped(line, self._muted)]

    def conflicts(self) -> list[str]:
        """With whom its branch will not merge, and in which files."""
        found: Sequence[Document] = self.row.document.get("conflicts") or ()
        if not found:
            return []
        from ennio.model.conflicts import in_words  # noqa: PLC0415 - the first frame has no pane

        lines = []
        for one in found:
            paths = [words(path) for path in one.get("paths") or ()]
            said = f"a conflict is expected with {words(one.get('with'))}: {in_words(paths)}"
            lines += self._wrapped(said, lambda text: self.view.style.paint("bad", text))
        return lines

    def _fact(self, fact: Document) -> str:
        at = moment(fact.get("at"))
        when = f"{at.astimezone():%H:%M:%S} {waited(at, self.view.at):>4}" if at else ""
        source = f"{words(fact.get('source'))[:12]:<8} {when}"
        room = max(8, self.width - 3 - cells(source))
        return f"  {pad(words(fact.get('what')), room)} {self._muted(source)}"

    def timeline(self) -> list[str]:
        """The statuses it went through, to scale; gaps of more than ten minutes are folded."""
        history = list(reversed(self.told.get("evidence") or ()))
        if not history:
            return self._absent("evidence", "nothing was decided yet")
        phases = [one for one, after in pairwise(history) if one["status"] != after["status"]]
        phases.append(history[-1])
        ends = [moment(one["at"]) for one in phases[1:]] + [self.view.at]
        lines = []
        for phase, end in zip(phases, ends, strict=True):
            begun = moment(phase["at"])
            if begun is None or end is None:
                continue
            lines.append(self._phase(phase, begun, max(0.0, (end - begun).total_seconds())))
        return lines

    def _phase(self, phase: Document, begun: datetime, seconds: float) -> str:
        glyphs = self.view.glyphs
        room = max(4, self.width - 32)
        cell = max(1, round(min(seconds, _FOLDED) / _FOLDED * room))
        bar = glyphs.line * cell + (f" {glyphs.gap}" if seconds > _FOLDED else "")
        when = f"{begun.astimezone():%H:%M}"
        return cut(f"{when} {words(phase['status']):<18} {span(seconds):>4} {bar}", self.width)

    def messages(self) -> list[str]:
        """All that was said to it, the latest last, and how far it got."""
        found: Sequence[Document] = self.told.get("messages") or ()
        return self._letters(found) if found else self._absent("messages", "nothing was said to it")

    def _letters(self, found: Iterable[Document]) -> list[str]:
        lines = []
        for one in found:
            state = words(one.get("state")).replace("_", " ")
            who = words(one.get("reaction") or one.get("origin"))
            head = f"{state} {age(one.get('created_at'), self.view.at)} ago ({who})"
            lines += [self._muted(head), *(f"  {line}" for line in self._letter(one))]
            why = words(one.get("error") or one.get("detail"))
            lines += [self._muted(f"  {why}")] if why else []
        return lines

    def _letter(self, one: Document) -> list[str]:
        lines = wrapped(words(one.get("text")), self.width - 2)
        return lines if len(lines) <= 6 else [*lines[:5], f"({len(lines) - 5} more lines)"]

    def output(self) -> list[str]:
        """The last lines of its terminal, in their colours where it stands."""
        if self.view.tab == "output" and (lines := self._screen()):
            return lines
        text = self.told.get("output")
        if not isinstance(text, str) or not text.strip():
            return self._absent("output", "its terminal is empty")
        lines = text.rstrip().split("\n")
        above = [self._muted("…")] if len(lines) > _LINES else []
        return [*above, *(cut(words(line.rstrip()), self.width) for line in lines[-_LINES:])]

    def _screen(self) -> list[str]:
        told = self.told.get("screen") if "screen" not in self.faults else None
        found: Sequence[Sequence[Document]] = (told or {}).get("lines") or ()
        lines = [self._styled(runs) for runs in found]
        while lines and not bare(lines[-1]).strip():
            lines.pop()
        return lines

    def _styled(self, runs: Sequence[Document]) -> str:
        """A line of a terminal, as much of it as there is room for."""
        room, parts = self.width, []
        for run in runs:
            text = cut(words(run.get("t")), room)
            parts.append(self.view.style.run({**run, "t": text}))
            room -= cells(text)
            if room <= 0:
                break
        return "".join(parts)

    def files(self) -> list[str]:
        """What it changes, file by file, the chosen one marked; or what one of them changes."""
        if self.view.file:
            return self.hunks()
        found = self.view.files
        if not found:
            return self._absent("files", "it has changed no file yet")
        at = min(self.view.pane_top, len(found) - 1)
        mark = self.view.style.paint("you", self.view.glyphs.cursor)
        return [
            f"{mark if at == number else ' '}{self._file(one)}" for number, one in enumerate(found)
        ]

    def hunks(self) -> list[str]:
        """What one file changes, as git writes it."""
        told = self.told.get("hunks") or {}
        head = self._strong(words(self.view.file))
        if (told.get("file") or {}).get("path") != self.view.file:
            return [head, *self._absent("hunks", "asking ...")]
        lines = str(told.get("text") or "").rstrip("\n").split("\n")
        first = next((at for at, line in enumerate(lines) if line.startswith("@@")), 0)
        most = first + _LINES
        cut_off = [self._muted("… the rest is in the whole difference: d")]
        rest = cut_off if told.get("truncated") or len(lines) > most else []
        return [head, *map(self._hunk, lines[first:most]), *rest]

    def _hunk(self, line: str) -> str:
        tone = {"+": "good", "-": "bad", "@": "muted"}.get(line[:1])
        return self.view.style.paint(tone, cut(words(line.rstrip()) or " ", self.width))

    def _file(self, one: Document) -> str:
        paint, minus = self.view.style.paint, self.view.glyphs.minus
        if one.get("added") is None:
            counts = f"{'binary':>12}"
        else:
            more, less = f"+{one['added']}", f"{minus}{one.get('removed') or 0}"
            counts = paint("good", f"{more:>6}") + paint("bad", f"{less:>6}")
        status = "" if one.get("status") == "modified" else words(one.get("status"))
        told = " ".join(filter(None, (words(one["path"]), status)))
        return f"{counts}  {cut(told, self.width - 15)}"

    def pull(self) -> list[str]:
        """Its pull request: checks, the end of the logs of those that fail, open threads."""
        if self.row.pr is None:
            return [self._muted("no pull request yet")]
        told = self.told.get("pr")
        if not told:
            return self._absent("pr", "it is not there any more")
        head = f"#{told['number']} {words(told.get('title'))}"
        facts = ", ".join(
            filter(
                None,
                (words(told.get("state")), words(told.get("mergeability")), self._review(told)),
            )
        )
        lines = [self._strong(head), self._muted(f"{facts}  {checks(self.row, self.view.glyphs)}")]
        for check in told.get("check_runs") or ():
            lines += self._check(check)
        for comment in told.get("comments") or ():
            lines += self._comment(comment)
        return lines

    def _review(self, told: Document) -> str:
        return f"review {words(told.get('review'))}" if told.get("review") else ""

    def _check(self, check: Document) -> list[str]:
        glyphs, paint = self.view.glyphs, self.view.style.paint
        state = words(check.get("state"))
        mark, tone = {
            "passing": (glyphs.good, "good"),
            "failing": (glyphs.fail, "bad"),
        }.get(state, (glyphs.world, "world"))
        lines = [f"{paint(tone, mark)} {cut(words(check.get('name')), self.width - 2)}"]
        tail = str(check.get("log_tail") or "").rstrip().split("\n")[-_LOG:]
        if state == "failing":
            lines += [self._muted(f"    {words(line)}") for line in tail if line.strip()]
        return lines

    def _comment(self, comment: Document) -> list[str]:
        at = words(comment.get("path"))
        where = f" {at}:{comment.get('line') or ''}" if at else ""
        head = self._muted(f"{words(comment.get('author'))}{where}")
        return [
            head,
            *(f"  {line}" for line in wrapped(words(comment.get("body")), self.width - 2)),
        ]


def _waits(message: Document) -> bool:
    return message.get("state") in ("queued", "sending", "sent_unsure")


def wrapped(text: str, width: int) -> list[str]:
    """The text in lines of at most so many cells, broken at spaces where there are any."""
    width = max(1, width)
    if cells(text) <= width:
        return [text]
    lines, line = [], ""
    for word in text.split(" "):
        longer = f"{line} {word}" if line else word
        if cells(longer) <= width:
            line = longer
            continue
        if line:
            lines.append(line)
        line = word
        while cells(line) > width:
            part = cut(line, width)
            kept = part.removesuffix("…") or line[:1]
            lines.append(part)
            line = line[len(kept) :]
    return [*lines, line] if line else lines
