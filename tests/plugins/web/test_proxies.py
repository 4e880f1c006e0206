"""Which proxy a request goes through, if any."""

from __future__ import annotations

import pytest

from ennio.model.errors import Refused
from ennio.plugins.web.proxies import Proxy, proxy_of

GITHUB = "https://api.github.com/graphql"
ALL = {"http_proxy": "http://p:1", "https_proxy": "http://q:2", "all_proxy": "http://r:3"}


@pytest.mark.parametrize(
    ("url", "environ", "proxy"),
    [
        (GITHUB, {}, None),
        (GITHUB, {"https_proxy": "http://q:2"}, "http://q:2"),
        (GITHUB, {"HTTPS_PROXY": "http://q:2"}, "http://q:2"),
        (GITHUB, {"HTTPS_PROXY": "http://other:9", "https_proxy": "http://q:2"}, "http://q:2"),
        (GITHUB, {"HTTPS_PROXY": "http://other:9", "https_proxy": ""}, None),
        (GITHUB, {"http_proxy": "http://p:1"}, None),
        ("http://git.corp.example/api/v3", ALL, "http://p:1"),
        (GITHUB, {"ALL_PROXY": "http://r:3"}, "http://r:3"),
        (GITHUB, ALL, "http://q:2"),
        (GITHUB, {"https_proxy": "q:2"}, "http://q:2"),
        (GITHUB, {"https_proxy": "https://q"}, "https://q:443"),
        (GITHUB, {"https_proxy": "http://[fd00::1]:8080"}, "http://[fd00::1]:8080"),
        ("http://127.0.0.1:3000/x", ALL, None),
        ("http://127.8.9.1/x", ALL, None),
        ("http://localhost:3000/x", ALL, None),
        ("http://[::1]:3000/x", ALL, None),
    ],
)
def test_the_proxy_is_the_one_that_curl_and_git_go_through(
    url: str, environ: dict[str, str], proxy: str | None
) -> None:
    found = proxy_of(url, environ)
    assert (found and found.url) == proxy


@pytest.mark.parametrize(
    ("no_proxy", "host", "exempt"),
    [
        ("*", "api.github.com", True),
        ("github.com", "api.github.com", True),
        (".github.com", "api.github.com", True),
        ("*.github.com", "api.github.com", True),
        ("GitHub.com", "API.github.COM", True),
        ("hub.com", "api.github.com", False),
        ("api.github.com", "github.com", False),
        ("a.example, github.com", "api.github.com", True),
        ("a.example github.com", "api.github.com", True),
        ("github.com:443", "api.github.com", True),
        ("github.com:8443", "api.github.com", False),
        ("api.github.com.", "api.github.com", True),
        ("10.0.0.0/8", "10.1.2.3", True),
        ("10.0.0.0/8", "11.1.2.3", False),
        ("10.1.2.3", "10.1.2.3", True),
        ("2.3", "10.1.2.3", False),
        ("[fd00::1]:443", "[fd00::1]", True),
        ("fd00::/8", "[fd00::1]", True),
        ("", "api.github.com", False),
        (",,", "api.github.com", False),
    ],
)
def test_no_proxy_names_hosts_domains_networks_and_ports(
    no_proxy: str, host: str, exempt: bool
) -> None:
    for name in ("no_proxy", "NO_PROXY"):
        assert (
            proxy_of(f"https://{host}/x", {"https_proxy": "http://q:2", name: no_proxy}) is None
        ) is exempt


def test_a_login_is_taken_out_of_the_address_and_never_shown() -> None:
    found = proxy_of(GITHUB, {"https_proxy": "http://me:s%40cret@q:2"})
    assert found == Proxy("http://q:2", "me:s@cret")
    assert "cret" not in repr(found)


@pytest.mark.parametrize(
    "value",
    ["socks5://me:secret@q:1080", "http://me:secret@[", "http://me:secret@q:port", "http://"],
)
def test_a_variable_that_cannot_be_used_is_named_and_not_shown(value: str) -> None:
    with pytest.raises(Refused, match="the variable HTTPS_PROXY") as error:
        proxy_of(GITHUB, {"HTTPS_PROXY": value})
    assert "secret" not in str(error.value)
