"""Routes, quiet hours and limits of channels, as the file says them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ennio.config.model import QuietHours, RateLimit, Route
from ennio.model.errors import ConfigError
from ennio.model.session import Priority
from tests.config.writing import loaded

ROUTES = """\
    notifiers:
      - {plugin: desktop, name: local}
      - plugin: webhook
        name: ops
        config: {url: 'https://a.example/x'}
        quiet_hours: {from: "22:00", to: "07:30", timezone: Europe/Berlin, unless: urgent}
        rate_limit: {messages: 3, within: 10m}
    notification_routing:
      ci-failed: {channels: [ops], min_priority: urgent}
      all-complete: []
      disk-low: [ops]
    projects:
      - {name: a, repo: ./a, path: /a}
      - {name: b, repo: ./b, path: /b, notifiers: [ops], notification_routing: {anomaly: [local]}}
"""


def test_a_route_is_a_list_or_says_from_which_priority_on(tmp_path: Path) -> None:
    config = loaded(tmp_path, ROUTES)
    assert config.notification_routing == {
        "ci-failed": Route(("ops",), Priority.URGENT),
        "all-complete": Route(()),
        "disk-low": Route(("ops",)),
    }
    assert (config.projects[0].notifiers, config.projects[1].notifiers) == (None, ("ops",))
    assert config.projects[1].notification_routing == {"anomaly": Route(("local",))}


def test_quiet_hours_and_limits_are_read(tmp_path: Path) -> None:
    local, ops = loaded(tmp_path, ROUTES).notifiers
    night = QuietHours(22 * 60, 7 * 60 + 30, "Europe/Berlin", Priority.URGENT)
    assert (ops.quiet_hours, ops.rate_limit) == (night, RateLimit(3, 600.0))
    assert (local.quiet_hours, local.rate_limit) == (None, RateLimit(10, 60.0))


NTFY = "{plugin: ntfy, name: phone, config: {topic: t%s}}"


@pytest.mark.parametrize(
    ("channels", "may"),
    [
        (NTFY % ", token: tk_x", True),
        (NTFY % "", False),
        ("{plugin: desktop, name: local}", False),
        ("", False),
        (f"{{plugin: desktop, name: local}}, {NTFY % ', token: tk_x'}", True),
    ],
)
def test_who_wants_answers_by_buttons_needs_a_topic_with_a_token(
    tmp_path: Path, channels: str, may: bool
) -> None:
    text = f"""\
    notifiers: [{channels}]
    projects:
      - {{name: a, repo: ./a, path: /a, answer: true}}
      - {{name: b, repo: ./b, path: /b}}
"""
    if may:
        assert [one.answer for one in loaded(tmp_path, text).projects] == [True, False]
        return
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, text)
    assert "projects[0].answer: needs a notifier" in str(raised.value)
    assert "`plugin: ntfy` with the `token`" in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('quiet_hours: {from: "22:00", to: "22:00"}', "quiet_hours.to: is when they begin"),
        ('quiet_hours: {from: "25:00", to: "7:00"}', "`25:00` is no hour of the day"),
        ('quiet_hours: {from: late, to: "7:00"}', "`late` is no hour of the day"),
        ('quiet_hours: {from: true, to: "7:00"}', "is no hour of the day"),
        ('quiet_hours: {from: 5, to: "7:00"}', "`5` is no hour of the day"),
        ('quiet_hours: {from: "22:00"}', "quiet_hours.to: is missing"),
        ('quiet_hours: {from: "22:00", to: "7:00", timezone: Middle/Earth}', "is no time zone"),
        ('quiet_hours: {from: "22:00", to: "7:00", timezone: ../etc}', "is no time zone"),
        (
            'quiet_hours: {from: "22:00", to: "7:00", except: urgent}',
            "known are from, to, timezone, unless",
        ),
        ("rate_limit: {messages: 0}", "rate_limit.messages"),
        ("rate_limit: {within: 0s}", "rate_limit.within"),
    ],
)
def test_what_is_wrong_with_them_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, f"    notifiers: [{{plugin: desktop, name: local, {text}}}]\n")
    assert words in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("notification_routing: {ci-failed: {channels: [gong]}}", "channels[0]: `gong` is not"),
        ("notification_routing: {ci-failed: {min_priority: urgent}}", "channels: is missing"),
        ("notification_routing: {ci-failed: desktop}", "is not a list"),
        (
            "projects: [{name: a, repo: ./a, path: /a, notification_routing: {disk-low: []}}]",
            "disk-low: is no known key here",
        ),
        ("projects: [{name: a, repo: ./a, path: /a, notifiers: [gong]}]", "`gong` is not the name"),
        (
            "projects: [{name: a, repo: ./a, path: /a, notification_routing: {anomaly: [gong]}}]",
            "projects[0].notification_routing.anomaly[0]: `gong` is not the name",
        ),
    ],
)
def test_a_route_to_nobody_is_said(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(ConfigError) as raised:
        loaded(tmp_path, f"    {text}\n")
    assert words in str(raised.value)


def test_the_desktop_is_there_wherever_it_is_named(tmp_path: Path) -> None:
    of_project = "projects: [{name: a, repo: ./a, path: /a, notifiers: [desktop]}]"
    for text in (of_project, "notification_routing: {anomaly: {channels: [desktop]}}"):
        assert [one.name for one in loaded(tmp_path, f"    {text}\n").notifiers] == ["desktop"]
