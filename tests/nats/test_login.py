"""Who is let in by a real server, and whom of those who answer we believe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ennio.model.errors import EnnioError, Refused, Unreachable
from ennio.nats.connecting import connected
from ennio.nats.protocol import Outgoing
from ennio.nats.settings import NatsSettings
from tests.nats.keys import USER, Authority, Key, operated
from tests.nats.server import NatsServer, running

PASSWORD = "p@ss:w/ord"


def heard(url: str, **settings: Any) -> list[bytes]:
    """What comes back of what was published through a connection of these settings."""
    connection = connected(NatsSettings(url, **settings))
    read: list[bytes] = []
    try:
        connection.listen("here.>", lambda message: read.append(message.payload))
        connection.publish_all([Outgoing("here.a", b"one"), Outgoing("here.b", b"two\r\nlines")])
        connection.round_trip()
    finally:
        connection.close()
    return read


BOTH = [b"one", b"two\r\nlines"]


def refused(server: NatsServer, url: str, **settings: Any) -> str:
    with pytest.raises(Refused) as caught:
        connected(NatsSettings(url, **settings))
    assert server.address in str(caught.value) or "nats_" in str(caught.value)
    return str(caught.value)


def test_a_user_is_let_in_by_the_password_and_nobody_else() -> None:
    with running(f'authorization {{ user: "me", password: "{PASSWORD}" }}') as server:
        assert heard(f"nats://me:p%40ss%3Aw%2Ford@{server.address}") == BOTH
        words = refused(server, f"nats://me:guessed@{server.address}")
        assert "Authorization Violation" in words
        assert "guessed" not in words
        assert "Authorization Violation" in refused(server, server.url)


def test_a_token_lets_in_and_a_wrong_one_is_told_at_once() -> None:
    with running('authorization { token: "t0ken" }') as server:
        assert heard(f"nats://t0ken@{server.address}") == BOTH
        assert "t0ker" not in refused(server, f"nats://t0ker@{server.address}")


def test_a_certificate_is_believed_that_fits_and_no_other(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    file, key = authority.signed("server")
    with running(f'tls {{ cert_file: "{file}", key_file: "{key}" }}') as server:
        tls = f"tls://{server.address}"
        assert heard(tls, ca_file=authority.file) == BOTH
        assert heard(server.url, ca_file=authority.file) == BOTH, "the server wants TLS: it is had"
        assert "certificate" in refused(server, tls)
        elsewhere = f"tls://localhost:{server.port}"
        with pytest.raises(Refused, match="certificate"):
            connected(NatsSettings(elsewhere, ca_file=authority.file))


def test_nothing_is_sent_in_the_clear_where_the_address_says_tls() -> None:
    with running('authorization { token: "t0ken" }') as server:
        assert "offers no TLS" in refused(server, f"tls://t0ken@{server.address}")


def test_a_server_that_wants_our_certificate_is_shown_it(tmp_path: Path) -> None:
    authority = Authority.made(tmp_path)
    file, key = authority.signed("server")
    ours = dict(zip(("cert_file", "key_file"), authority.signed("me"), strict=True))
    tls = f'cert_file: "{file}", key_file: "{key}", ca_file: "{authority.file}", verify: true'
    with running(f"tls {{ {tls} }}") as server:
        url = f"tls://{server.address}"
        assert heard(url, ca_file=authority.file, **ours) == BOTH
        with pytest.raises(EnnioError):
            connected(NatsSettings(url, ca_file=authority.file))


def test_a_key_signs_what_the_server_drew(tmp_path: Path) -> None:
    key, other = Key.made(USER), Key.made(USER)
    file, wrong = tmp_path / "user.nk", tmp_path / "other.nk"
    file.write_text(f"# of a user\n{key.seed}\n")
    wrong.write_text(other.seed)
    with running(f"authorization {{ users: [ {{ nkey: {key.public} }} ] }}") as server:
        assert heard(server.url, nkey_file=file) == BOTH
        assert "Authorization Violation" in refused(server, server.url, nkey_file=wrong)


def test_a_file_of_credentials_lets_in(tmp_path: Path) -> None:
    settings, file = operated(tmp_path)
    with running(settings, jetstream=False) as server:
        assert heard(server.url, credentials_file=file) == BOTH
        assert "Authorization Violation" in refused(server, server.url)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "holds no seed"),
        ("SUAGUESSED", "holds no seed"),
        (Key.made(0).seed, "not that of a user"),
    ],
)
def test_a_file_that_holds_no_key_is_named(text: str, words: str, tmp_path: Path) -> None:
    file = tmp_path / "user.nk"
    file.write_text(text)
    with pytest.raises(Refused, match=f"nats_nkey_file: .*{words}") as caught:
        connected(NatsSettings("nats://127.0.0.1:1", nkey_file=file))
    assert not text or text not in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Refused, match=r"nats_ca_file: .*ca\.pem cannot be read: No such file"):
        connected(NatsSettings("nats://127.0.0.1:1", ca_file=tmp_path / "ca.pem"))


def test_a_server_that_is_not_there_cannot_be_reached() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1:1 cannot be reached: Connection refused"):
        connected(NatsSettings("nats://127.0.0.1:1"))


def test_what_may_not_be_published_is_said_and_the_connection_stays() -> None:
    allowed = 'permissions: { publish: ["here.>", "_INBOX.>"], subscribe: ">" }'
    with running(f'authorization {{ users: [ {{ user: "a", password: "b", {allowed} }} ] }}') as it:
        connection = connected(NatsSettings(f"nats://a:b@{it.address}"))
        with pytest.raises(Refused, match="Permissions Violation for Publish"):
            connection.publish_all([Outgoing("here.a", b""), Outgoing("there.a", b"")])
        connection.publish_all([Outgoing("here.a", b"")])
        assert connection.alive
        connection.close()
