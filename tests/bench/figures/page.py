"""From the commit of an event to its row on the dashboard, among hundreds of others.

The bare counterpart is a page with an ``EventSource`` and nothing else, which writes down what it
hears, over a bare Falcon application.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from playwright.sync_api import Browser, Page, expect

from tests.bench import bare
from tests.bench.figure import Figure, Group, Run, Wanted
from tests.bench.stand import come
from tests.bench.timing import pass_by, percentile
from tests.bench.wire import Wire
from tests.dashboard.browsing import browsing, log_in, visitor
from tests.dashboard.crowd import crowded
from tests.e2e.house import Supervised

NAME = "page.event"
_SEEN = """() => {
  window.came = {};
  new MutationObserver((all) => {
    for (const change of all) for (const node of change.addedNodes)
      if (node.dataset?.session) window.came[node.dataset.session] ??= Date.now();
  }).observe(document.querySelector('main'), {childList: true, subtree: true});
}"""
_HEARD = """() => {
  window.heard = [];
  const list = document.createElement('ul');
  document.body.replaceChildren(list);
  new MutationObserver((all) => {
    for (const change of all) for (const node of change.addedNodes)
      window.heard.push(Date.now() / 1000 - Number(node.textContent));
  }).observe(list, {childList: true});
  window.source = new EventSource('/stream');
  window.source.addEventListener('told', (event) => {
    const row = document.createElement('li');
    row.textContent = JSON.parse(event.data).at;
    list.append(row);
  });
}"""


def measure(run: Run) -> Iterator[Figure]:
    """Both by turns, in one browser."""
    many = run.times(50, 500)
    run.say(f"page with {many} sessions ...")
    with browsing() as browser, crowded(run.root / "house", many) as (house, _), bare.server() as other:  # fmt: skip
        yield _figure(run.times(15, 100), browser, house, other)


def _figure(times: int, browser: Browser, house: Supervised, other: bare.Server) -> Figure:
    ours: list[float] = []
    with visitor(browser, house) as context, Wire(other.port) as orders:
        page = log_in(context.new_page(), house)
        expect(page.get_by_test_id("connection")).to_have_attribute("data-is", "live")
        page.evaluate(_SEEN)
        plain = browser.new_page()
        plain.goto(f"http://127.0.0.1:{other.port}/")
        plain.evaluate(_HEARD)
        come(lambda: plain.evaluate("window.source.readyState === 1"), 20, "the bare page hears")
        for number in range(times):
            pass_by(0.3)  # of one that happens by itself; of many it is asked four times a second
            ours.append(_row(house, page, number))
            orders.send(orders.request("POST", "/tell"))
            orders.answer()
            heard = number + 1
            come(lambda n=heard: plain.evaluate("heard.length") >= n, 20, "it is heard")
        theirs = plain.evaluate("window.heard")
        plain.close()
    figures = (1000 * percentile(each, 0.95) for each in (ours, theirs))
    return Figure(NAME, next(figures), "ms", next(figures), Wanted("value", 150))


def _row(house: Supervised, page: Page, number: int) -> float:
    """Seconds from the commit of a session to its row."""
    made = house.spawn(f"Wait {number}", "my-app", held=True)
    come(lambda: page.evaluate("(id) => id in window.came", made), 20, "the row is shown")
    (event,) = house.events(session_id=made, type="session_queued")
    committed = datetime.fromisoformat(event["timestamp"]).timestamp()
    return float(page.evaluate("(id) => window.came[id]", made)) / 1000 - committed


GROUP = Group((NAME,), measure)
