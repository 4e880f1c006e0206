"""Every example of the documentation loads, and so does every file in examples/."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from ennio.config import yaml_source
from ennio.config.load import load
from ennio.config.schema import ConfigSchema, ProjectSchema
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON

DOCUMENTED = sorted(Path(__file__).with_name("documented").glob("*.yaml"))
EXAMPLES = sorted(Path(__file__, "../../../examples").resolve().glob("*.yaml"))
REQUIRED = {"name": "app", "repo": "git@github.com:user/app.git", "path": "/srv/app"}
LOGIN = {"host": "build-server", "username": "deploy", "auth": {"type": "agent"}}
CHANNELS = [{"plugin": "webhook", "name": name} for name in ("local", "team-slack", "ops-alerts")]


def completed(fragment: dict[str, Any]) -> dict[str, Any]:
    """The fragment with the least it needs around it to be a whole file."""
    whole = deepcopy(fragment)
    if "auth" in whole:
        whole = {"ssh_config": whole}
    if "ssh_config" in whole:
        whole["ssh_config"] = LOGIN | whole["ssh_config"]
    if not whole.keys() <= set(ConfigSchema.keys()) and whole.keys() <= set(ProjectSchema.keys()):
        whole = {"projects": [whole]}
    whole["projects"] = [REQUIRED | project for project in whole.get("projects", [])]
    if "notification_routing" in whole or "local" in whole.get("defaults", {}).get("notifiers", []):
        whole.setdefault("notifiers", CHANNELS)
    return whole


def test_no_documented_example_is_missing() -> None:
    assert len(DOCUMENTED) == 29


@pytest.mark.parametrize("path", DOCUMENTED, ids=lambda path: path.stem)
def test_a_documented_example_loads(path: Path, tmp_path: Path) -> None:
    fragment = yaml_source.read(path.read_bytes())
    assert fragment.problems == ()
    whole = tmp_path / "ennio.yaml"
    whole.write_text(yaml.safe_dump(completed(fragment.data)), encoding="utf-8")
    load(whole, ENVIRON, SHIPPED)


@pytest.mark.parametrize("name", ["01-quick-start", "02-minimal", "27-full"])
def test_a_whole_documented_file_loads_as_it_is(name: str) -> None:
    (path,) = (path for path in DOCUMENTED if path.stem == name)
    assert load(path, ENVIRON, SHIPPED).projects


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_file_loads(path: Path) -> None:
    assert load(path, ENVIRON, SHIPPED).projects


def test_the_full_example_is_the_documented_one() -> None:
    (full,) = (path for path in EXAMPLES if path.stem == "full")
    (documented,) = (path for path in DOCUMENTED if path.stem == "27-full")
    assert full.read_text(encoding="utf-8").endswith(documented.read_text(encoding="utf-8"))


def test_the_full_example_means_what_is_documented() -> None:
    (full,) = (path for path in EXAMPLES if path.stem == "full")
    config = load(full, ENVIRON, SHIPPED)
    backend, remote = config.projects
    assert (backend.session_prefix, backend.max_sessions, backend.agent_config.model) == (
        "be",
        3,
        "opus",
    )
    assert backend.agent_config.passthrough == {"max_turns": 200}
    assert backend.forge is not None
    assert backend.forge.config["token"] == ENVIRON["GITHUB_TOKEN"]
    assert (remote.agent, remote.runtime) == ("aider", "tmux")
    assert remote.ssh is not None
    assert remote.ssh.node_config is not None
    assert remote.ssh.node_config.auth_token == ENVIRON["NODE_AUTH_TOKEN"]
    assert config.notification_routing["agent-exited"].channels == ("team-slack", "local")
    assert config.reactions["approved-and-green"].action == "auto_merge"
