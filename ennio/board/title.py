"""The first lines of the board: how many wait for whom, the money, the connection; and the gravest
of what is not as it should be.
"""

from __future__ import annotations

from ennio.board.plan_windows import fullest
from ennio.board.style import bare
from ennio.board.table import cells, cut
from ennio.board.view import BoardView

_ROOMY = 110


def title_lines(view: BoardView, width: int) -> list[str]:
    """The title, and the banner where there is one."""
    banner = banner_line(view, width)
    return [_title(view, width), *([banner] if banner else [])]


def _title(view: BoardView, width: int) -> str:
    """The counts to the left, money and connection to the right; as much of both as there is room
    for, the connection always.
    """
    wide = width >= _ROOMY
    spend = view.header.spend if wide else view.header.short
    if wide and (plan := fullest(view.body.planned, view.at)):
        spend = " · ".join(filter(None, (spend, plan)))
    link, clock = _link(view), _clock(view)
    ends = (f"{spend}  {link}  {clock}", f"{link}  {clock}", link)
    lefts = (_counts(view, wide=wide), _counts(view, wide=False, named=False))
    for left, end in ((left, end) for left in lefts for end in ends):
        gap = width - cells(bare(left)) - cells(bare(end))
        if gap >= 1:
            return left + " " * gap + end
    return cut(bare(link), width)


def _counts(view: BoardView, *, wide: bool, named: bool = True) -> str:
    paint, glyphs, counts = view.style.paint, view.glyphs, view.body.counts
    names = ("your turn", "agents", "world", "over") if wide else ("you", "agents", "world", "over")
    told = zip(
        ("you", "agent", "world", "over"),
        ("you", "agent", "world", "good"),
        (glyphs.you, glyphs.agent, glyphs.world, glyphs.good),
        (f" {name}" if named else "" for name in names),
        strict=True,
    )
    parts = [
        paint(tone if counts.get(turn) else "muted", f"{mark}{counts.get(turn, 0)}{name}")
        for turn, tone, mark, name in told
    ]
    left = f" {paint('strong', 'ennio')}  {'  '.join(parts)}"
    if not wide:
        return left
    projects = "  ".join(f"{name} {many}" for name, many in view.body.projects[:4])
    return f"{left}   {paint('muted', projects)}"


def _queue(view: BoardView) -> str:
    """Who waits for a place, where somebody does."""
    body = view.body
    if not body.queued:
        return ""
    return f"queue {body.queued}{f' ({body.held} held)' if body.held else ''}"


def _clock(view: BoardView) -> str:
    return f"{view.at.astimezone():%H:%M}"


def _link(view: BoardView) -> str:
    link = view.link
    if link.live:
        return view.style.paint("good", "live")
    if link.lost is None:
        return view.style.paint("muted", "connecting")
    gone = int((view.at - link.lost).total_seconds())
    return view.style.paint("bad", f"{view.glyphs.lost} lost {max(0, gone)} s")


def banner_line(view: BoardView, width: int) -> str:
    """The gravest thing; empty where there is none."""
    link = view.link
    if link.lost is not None:
        left = max(0, round((link.again - view.at).total_seconds())) if link.again else 0
        again = f"trying again in {left} s" if left else "trying again"
        text = f" ! not up to date, {again}: {link.why}"
        return view.style.paint("bad", cut(text, width))
    wishes, body = view.wishes, view.body
    narrowed = f"filter: {wishes.filter.text} ({body.fitting} of {body.total})"
    told = [view.header.banner, narrowed if wishes.filter else "", _queue(view)]
    text = "   ".join(filter(None, told))
    if not text:
        return ""
    tone = "bad" if view.header.grave else "you" if view.header.banner else "muted"
    mark = "!" if view.header.banner else " "
    return view.style.paint(tone, cut(f" {mark} {text}", width))
