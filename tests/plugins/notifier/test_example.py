"""The example of notices means what its channels understand."""

from __future__ import annotations

from pathlib import Path

from ennio.config.load import load
from ennio.config.secrets import masked, secrets
from ennio.machine.home import Home
from ennio.model.clock import SystemClock
from ennio.plugins import declared
from ennio.plugins.registry import Registry
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON

EXAMPLE = Path(__file__).resolve().parents[3] / "examples" / "notices.yaml"


def test_every_channel_of_the_example_is_made_and_shows_no_secret(tmp_path: Path) -> None:
    config = load(EXAMPLE, ENVIRON, SHIPPED, declared=declared.shipped)
    registry = Registry(Home(tmp_path), SystemClock(), directory=tmp_path)
    made = [registry.notifier(one.plugin, one.name, one.config) for one in config.notifiers]
    assert [one.name for one in made] == [one.name for one in config.notifiers]
    keys = ("SLACK_WEBHOOK_URL", "NTFY_TOPIC", "NTFY_TOKEN", "OPS_HOOK_URL", "OPS_HOOK_SECRET")
    for key in keys:
        assert ENVIRON[key] in secrets(config), "it is redacted wherever it turns up"
        assert ENVIRON[key] not in str(masked(config))
        assert ENVIRON[key] not in repr(config)
