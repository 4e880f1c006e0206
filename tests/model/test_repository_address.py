"""Addresses of repositories: many spellings of one, and what each says of where it is."""

from __future__ import annotations

import pytest

from ennio.model.repository_address import (
    github,
    has_password,
    is_address,
    is_local,
    on_forge,
    place,
)


@pytest.mark.parametrize(
    "address",
    [
        "git@github.com:an-owner/app.git",
        "https://github.com/an-owner/app",
        "https://x:y@GitHub.com/an-owner/app.git",
        "ssh://git@github.com:22/an-owner/app.git/",
        "github.com:an-owner/app",
    ],
)
def test_owner_and_name_are_found_in_every_spelling(address: str) -> None:
    assert github(address) == ("an-owner", "app")
    assert on_forge(address) == ("github.com", "an-owner", "app")
    assert place(address) == place("git://github.com/an-owner/app")
    assert is_address(address)
    assert not is_local(address)


def test_the_old_name_of_the_server_is_the_same_server() -> None:
    assert on_forge("https://www.github.com/an-owner/app") == ("github.com", "an-owner", "app")


def test_an_owner_whose_name_a_company_manages_is_one() -> None:
    assert github("git@github.com:ann_acme/app.git") == ("ann_acme", "app")


@pytest.mark.parametrize(
    "address",
    [
        "git@git.corp.example:team/app.git",
        "https://github.com.evil.example/a/b",
        "/srv/app.git",
        "~/app",
        "app",
    ],
)
def test_what_is_elsewhere_is_not_on_github(address: str) -> None:
    assert github(address) is None


@pytest.mark.parametrize(
    "address", ["https://me:secret@host/o/r", "https://ghp_abcdef@github.com/o/r"]
)
def test_a_password_in_an_address_is_seen(address: str) -> None:
    assert has_password(address)


def test_a_login_alone_is_no_password_and_two_ports_are_two_places() -> None:
    assert not has_password("ssh://git@host/o/r")
    assert place("http://localhost:3000/o/r") != place("http://localhost:3001/o/r")
    assert place("ssh://git@host:22/o/r.git") == ("host", "o/r")
