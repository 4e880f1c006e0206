"""A link is used once, whoever else tries at the same time; what is long over is forgotten."""

from __future__ import annotations

from datetime import timedelta

from ennio.model.clock import ManualClock
from ennio.store import Store
from ennio.store.answer_links import REMEMBERED, AnswerLink

NOW = ManualClock().now()


def _link(digest: str, notice: str = "n-1", channel: str = "phone") -> AnswerLink:
    until = NOW + timedelta(minutes=10)
    return AnswerLink(digest, notice, channel, "s-1", "q", digest, until)


def _keep(store: Store, *links: AnswerLink) -> None:
    with store.transaction():
        store.answer_links.renew(links[0].notice_id, links[0].channel, links, NOW)


def _use(store: Store, link: AnswerLink) -> bool:
    with store.transaction():
        return store.answer_links.use(link, NOW)


def test_of_all_links_of_a_notice_on_all_channels_one_is_used(store: Store) -> None:
    left, right = _link("left"), _link("right")
    elsewhere, other = _link("watch", channel="watch"), _link("other", notice="n-2")
    for links in ((left, right), (elsewhere,), (other,)):
        _keep(store, *links)
    assert [_use(store, one) for one in (left, left, right, elsewhere)] == [True] + 3 * [False]
    kept = store.answer_links.get("watch")
    assert kept is not None
    assert kept.used_at == NOW
    assert _use(store, other)


def test_one_that_was_renewed_is_none(store: Store) -> None:
    old = _link("old")
    _keep(store, old)
    _keep(store, _link("new"))
    assert store.answer_links.get("old") is None
    assert not _use(store, old), "who read it before that is too late"
    assert _use(store, _link("new"))


def test_those_long_over_are_forgotten(store: Store) -> None:
    _keep(store, _link("old"))
    with store.transaction():
        store.answer_links.renew("n-2", "phone", (), NOW + REMEMBERED)
    assert store.answer_links.get("old") is not None
    with store.transaction():
        later = NOW + REMEMBERED + timedelta(minutes=11)
        store.answer_links.renew("n-2", "phone", (), later)
    assert store.answer_links.get("old") is None
