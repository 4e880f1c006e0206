"""The board as sentences, for screen readers and pipes: events as they come, and the same commands
as lines.
"""

from __future__ import annotations

import os
import select
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TextIO

from ennio.board.columns import reason, waited
from ennio.board.feed import BoardFeed
from ennio.board.filters import Filter
from ennio.board.news import Acted, Happened, Headed, Linked, Rows, Unlinked
from ennio.board.order import Order
from ennio.board.orders import Act
from ennio.board.printing import out
from ennio.board.quantities import moment
from ennio.board.row import TURNS, Row, words
from ennio.board.verb_table import BoardVerb
from ennio.board.view import BoardView
from ennio.model.plural import number_of

_TURNS = {"you": "waits for you", "agent": "agent", "world": "world", "over": "over"}
HELP = """\
list [FILTER]        all sessions, by whose turn it is; words, p:project s:word t:turn r:review
ID                   one session: what it wants, and what can be done
VERB ID [WORDS]      do it: answer, tell, interrupt, merge, approve, request-changes, kill, ...
yes                  what was asked for, where it is asked once more
help, quit"""


def follow(feed: BoardFeed, view: BoardView, lines: TextIO) -> None:
    """Print what happens and do what is typed, until ``quit`` or the end of the input."""
    out("ennio board, plain: 'help' lists the commands")
    board = PlainBoard(feed, view)
    feed.start()
    try:
        _followed(board, feed, lines)
    except KeyboardInterrupt:
        pass
    finally:
        feed.stop()


def _followed(board: PlainBoard, feed: BoardFeed, lines: TextIO) -> None:
    ready, _ = feed.wakes
    typed = lines.fileno()
    rest = b""
    while True:
        # a line is only understood once it is known which sessions there are
        found, _, _ = select.select([ready, *([typed] if board.knows else [])], [], [])
        if ready in found:
            os.read(ready, 65536)
            board.take_news()
        if typed in found:
            said = os.read(typed, 65536)
            *whole, rest = (rest + said).split(b"\n")
            for line in whole:
                if not board.command(line.decode(errors="replace").strip()):
                    return
            if not said:
                board.settle()
                return


class PlainBoard:
    """The same view as on the screen, told in sentences."""

    def __init__(self, feed: BoardFeed, view: BoardView) -> None:
        self._feed = feed
        self.view = view
        self._asked: Act | None = None
        self._waiting = 0

    def take_news(self) -> None:
        """Everything there is, as sentences."""
        for news in self._feed.news():
            first = not self.view.loaded
            self.view = replace(news.taken(self.view), at=datetime.now(UTC))
            for line in self._told(news, first=first):
                out(line)
            self.view = replace(self.view, notice=None)  # what was told stands above

    @property
    def knows(self) -> bool:
        """Whether all that there is was told: the rows come before what can be done to them."""
        lost = self.view.link.lost is not None
        return self.view.link.live or (lost and bool(self.view.verbs.verbs or not self.view.loaded))

    def settle(self) -> None:
        """What was ordered before the input ended is waited for."""
        ready, _ = self._feed.wakes
        while self._waiting:
            if not select.select([ready], [], [], 30)[0]:
                return
            os.read(ready, 65536)
            self.take_news()

    def _told(self, news: object, *, first: bool) -> Iterator[str]:
        if isinstance(news, Happened):
            for event in news.events:
                at = moment(event.get("timestamp"))
                when = f"{at.astimezone():%H:%M:%S}: " if at else ""
                who = event.get("session_id") or event.get("project_id") or ""
                yield f"{when}{words(who)} {words(event.get('message'))}".strip()
        elif isinstance(news, Acted):
            self._waiting -= 1
            yield f"not done: {news.fault}" if news.fault else f"done: {news.act.told}"
        elif isinstance(news, Unlinked):
            yield f"lost: {words(news.why)}; it is tried again"
        elif isinstance(news, Linked) and self.view.notice is not None:
            yield self.view.notice.text
        elif isinstance(news, Headed) and self.view.header.banner:
            yield f"note: {self.view.header.banner}"
        elif isinstance(news, Rows) and first:
            yield from self._list("")

    # --- commands ---------------------------------------------------------------------------------

    def command(self, line: str) -> bool:
        """Do what a line says; False to end."""
        name, _, rest = line.partition(" ")
        if name in ("quit", "q", "exit"):
            return False
        if name in ("", "help", "?"):
            told = HELP.split("\n") if name else []
        elif name == "list":
            told = list(self._list(rest))
        elif name == "yes":
            told = self._said_yes()
        else:
            told = self._about(name) if not rest else self._verb(name, rest)
        for each in told:
            out(each)
        return True

    def _list(self, text: str) -> Iterator[str]:
        wanted = Filter.of(text)
        if wanted.fault:
            yield wanted.fault
            return
        order = Order.sorted(self.view.rows)
        found = [self.view.rows[one] for turn in TURNS for one in order.zones[turn]]
        fitting = [row for row in found if wanted.fits(row)]
        yield number_of(len(fitting), "session")
        yield from (self._sentence(row) for row in fitting)

    def _sentence(self, row: Row) -> str:
        since = waited(row.since, self.view.at)
        why = f": {reason(row)}" if reason(row) else ""
        return f"{row.id} ({row.project}), {row.title}. {_TURNS[row.turn]}, {row.word} {since}{why}"

    def _row(self, name: str) -> Row | None:
        found = [row for one, row in self.view.rows.items() if one.startswith(name)]
        return found[0] if len(found) == 1 else self.view.rows.get(name)

    def _about(self, name: str) -> list[str]:
        row = self._row(name)
        if row is None:
            return [f"{words(name)}: neither one session nor a command that needs no session; help"]
        told = [self._sentence(row)]
        for wanted in row.wants:
            verb = self.view.verbs.get(wanted)
            if verb is not None:
                more = " WORDS" if verb.takes else ""
                told.append(f"  {wanted} {row.id}{more}: {verb.label} ({verb.command(row)})")
        return told

    def _verb(self, name: str, rest: str) -> list[str]:
        session, _, text = rest.strip().partition(" ")
        verb, row = self.view.verbs.get(name), self._row(session)
        if verb is None:
            known = ", ".join(self.view.verbs.verbs) or "none is known yet"
            return [f"there is no command {words(name)}; there are: {known}"]
        if row is None:
            return [f"{words(session)} is not one session; list shows them"]
        if name in ("open", "take-over"):
            return [f"run: {verb.command(row)}"]
        if verb.takes and not text.strip():
            return [f"{name} {row.id} needs words behind it"]
        return self._ordered(verb, row, text.strip())

    def _ordered(self, verb: BoardVerb, row: Row, text: str) -> list[str]:
        given: object = int(text) if verb.name == "move" and text.isdigit() else text
        body = verb.with_words(given, row) if verb.takes else verb.body
        act = Act(row.id, verb.method, verb.target(row), body, verb.command(row, text), verb.once)
        if verb.confirm:
            self._asked = act
            return [f"{verb.question(row)} Say yes."]
        return self._do(act)

    def _said_yes(self) -> list[str]:
        act, self._asked = self._asked, None
        return ["nothing was asked for"] if act is None else self._do(act)

    def _do(self, act: Act) -> list[str]:
        self._waiting += 1
        self._feed.act(act)
        return [f"{act.told} ..."]
