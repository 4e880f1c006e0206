"""``agent_config`` as flags."""

from __future__ import annotations

import pytest

from ennio.model.errors import ConfigError
from ennio.plugins.agent import flags


def test_passthrough_becomes_flags() -> None:
    given = {
        "max_turns": 200,
        "verbose": True,
        "quiet": False,
        "effort": None,
        "add_dir": ["/a", "/b c"],
        "c": "k=v",
    }
    assert flags.of_passthrough(given) == (
        "--max-turns",
        "200",
        "--verbose",
        "--add-dir",
        "/a",
        "--add-dir",
        "/b c",
        "-c",
        "k=v",
    )


def test_a_value_that_begins_with_a_dash_stays_a_value() -> None:
    assert flags.of_passthrough({"note": "-x"}) == ("--note=-x",)


SECRETS = [
    "api_key",
    "token",
    "GITHUB_TOKEN",
    "client-secret",
    "password",
    "authToken",
    "private-key",
    "aws_secret_access_key",
]


@pytest.mark.parametrize("key", SECRETS)
def test_a_secret_has_no_place_on_a_command_line(key: str) -> None:
    with pytest.raises(
        ConfigError, match=f"agent_config.passthrough.{key}: looks like a secret.*`env`"
    ):
        flags.of_passthrough({key: "x"})


def test_flags_that_only_resemble_secrets_pass() -> None:
    assert flags.of_passthrough({"max_tokens": 5, "map_tokens": 0}) == (
        "--max-tokens",
        "5",
        "--map-tokens",
        "0",
    )


def test_what_ennio_sets_itself_cannot_be_set_beside_it() -> None:
    with pytest.raises(ConfigError, match=r"session_id: is set by Ennio itself"):
        flags.of_passthrough({"session_id": "x"}, ("session-id",))


def test_a_flag_takes_no_mapping_and_a_name_no_spaces() -> None:
    with pytest.raises(ConfigError, match="is a dict"):
        flags.of_passthrough({"a": {}})
    with pytest.raises(ConfigError, match="no name of a flag"):
        flags.of_passthrough({"a b": 1})


@pytest.mark.parametrize(
    ("given", "mode", "expected"),
    [
        (None, None, ()),
        ("", "--mode", ()),
        ("--yolo --tools 'a b'", None, ("--yolo", "--tools", "a b")),
        ("acceptEdits", "--permission-mode", ("--permission-mode", "acceptEdits")),
    ],
)
def test_permissions_are_flags_or_one_mode(
    given: str | None, mode: str | None, expected: tuple[str, ...]
) -> None:
    assert flags.of_permissions(given, mode) == expected


@pytest.mark.parametrize("given", ["--x 'open", "two words", "mode"])
def test_permissions_that_are_neither_are_refused(given: str) -> None:
    with pytest.raises(ConfigError, match=r"agent_config\.permissions"):
        flags.of_permissions(given, None)
