"""Notices and channels over the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ennio.config.model import Defaults, NotifierConfig
from ennio.model.delivery import DeliveryKind, DeliveryRecord, DeliveryState
from ennio.model.session import Priority
from ennio.store import Notice
from tests.http.api import Api
from tests.http.small_orchestrator import SmallOrchestrator


def _with(orchestrator: SmallOrchestrator, *channels: NotifierConfig) -> None:
    defaults = Defaults(notifiers=tuple(one.name for one in channels))
    config = replace(orchestrator.config, notifiers=channels, defaults=defaults)
    notices = replace(orchestrator.notices, deps=replace(orchestrator.deps, config=config))
    orchestrator.notices = notices


def _notice(orchestrator: SmallOrchestrator, name: str, **delivery: object) -> None:
    store, now = orchestrator.store, orchestrator.clock.now()
    store.notifications.add(
        Notice(
            name, "x", Priority.URGENT, "", "my-app", f"words of {name}", now, channels=("bell",)
        )
    )
    one = DeliveryRecord(DeliveryKind.NOTICE, name, "bell", **delivery)
    store.deliveries.intend(one)


def test_notices_are_listed_latest_first_and_those_that_failed_by_themselves(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    now = orchestrator.clock.now()
    _notice(orchestrator, "n-1", state=DeliveryState.DONE, settled_at=now)
    _notice(orchestrator, "n-2", state=DeliveryState.REFUSED, settled_at=now, error="gone (410)")
    _notice(orchestrator, "n-3", error="no network")
    _notice(orchestrator, "n-4")
    assert [one["id"] for one in api.get("/notifications")] == ["n-4", "n-3", "n-2", "n-1"]
    failed = api.get("/notifications?failed=true")
    assert [(one["id"], one["failed"]) for one in failed] == [
        ("n-3", {"bell": "no network"}),
        ("n-2", {"bell": "gone (410)"}),
    ]
    assert [one["id"] for one in api.get("/notifications?failed=true&limit=1")] == ["n-3"]
    assert "withdrawn_at" not in failed[0]


def test_channels_say_what_waits_for_them_and_why(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    assert api.get("/notifiers") == []
    _with(
        orchestrator,
        NotifierConfig("stub", "bell", {}),
        NotifierConfig("webhook", "ops", {"url": "https://a.example/s3cr3t-path"}),
    )
    _notice(orchestrator, "n-3", error="no network")
    _notice(orchestrator, "n-4")
    bell, ops = api.get("/notifiers")
    quiet = {"quiet_until": None}
    assert bell == {"name": "bell", "plugin": "stub", "waiting": 2, "error": "no network"} | quiet
    assert ops == {"name": "ops", "plugin": "webhook", "waiting": 0, "error": None} | quiet
    assert "s3cr3t" not in str(api.get("/notifiers"))


def test_a_test_tells_the_channel_at_once(api: Api, orchestrator: SmallOrchestrator) -> None:
    _with(orchestrator, NotifierConfig("stub", "bell", {}))
    assert api.post("/notifiers/bell/test") == "told"
    bell: Any = orchestrator.deps.plugins.notifier("stub", "bell", {})
    (told,) = bell.sent
    assert (told.event_type, told.priority) == ("notification_test", Priority.INFO)
    assert "bell" in told.title
    assert api.get("/notifications") == [], "and it is no notice"


def test_a_test_of_a_channel_says_what_is_wrong_with_it(
    api: Api, orchestrator: SmallOrchestrator
) -> None:
    settings = {"argv": ["no-such-program-here"]}
    _with(orchestrator, NotifierConfig("command", "tell", settings))
    assert "cannot be started" in api.post("/notifiers/tell/test", status=409)["error"]
    _with(orchestrator, NotifierConfig("command", "no", {"argv": ["false"]}))
    assert "ended with 1" in api.post("/notifiers/no/test", status=504)["error"]
    missing = api.post("/notifiers/horn/test", status=404)["error"]
    assert missing == "no notifier is called 'horn'; there are: no"
