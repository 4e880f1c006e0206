"""Doctor answers whatever it is shown: odd addresses, odd files, odd
environments; never with a traceback.
"""

from __future__ import annotations

import pytest

from tests.cli.conftest import Place

PROJECT = "port: 0\nprojects:\n  - name: a\n    repo: {repo}\n    path: {path}\n    {more}\n"
NO_WAY = "http://127.0.0.1:1"  # nobody listens there: nothing leaves this machine
CONFIGURATIONS = {
    "github address": PROJECT.format(
        repo="x",
        path=".",
        more='scm_config: {plugin: github, config: {api_url: "http://[", token: t}}',
    ),
    "github port": PROJECT.format(
        repo="x",
        path=".",
        more='scm_config: {plugin: github, config: {api_url: "http://x:99999", token: t}}',
    ),
    "linear address": PROJECT.format(
        repo="x",
        path=".",
        more='tracker_config: {plugin: linear, config: {api_url: "http://[", api_key: k}}',
    ),
    "linear key": PROJECT.format(
        repo="x",
        path=".",
        more=f'tracker_config: {{plugin: linear, config: {{api_url: "{NO_WAY}", api_key: '
        f'"a\\nb"}}}}',
    ),
    "github token": PROJECT.format(
        repo="x",
        path=".",
        more=f'scm_config: {{plugin: github, config: {{owner: o, repo: r, api_url: "{NO_WAY}", '
        f'token: "a\\r\\nX: y"}}}}',
    ),
    "token of another script": PROJECT.format(
        repo="x",
        path=".",
        more=f'scm_config: {{plugin: github, config: {{owner: o, repo: r, api_url: "{NO_WAY}", '
        f'token: "ключ"}}}}',
    ),
    "path of nobody": PROJECT.format(repo="x", path="~nobody-of-this-name/x", more="agent: aider"),
    "path that is long": PROJECT.format(repo="x", path="/" + "a" * 5000, more="agent: codex"),
    "path that is a device": PROJECT.format(repo="x", path="/dev/null", more="agent: opencode"),
    "host": 'host: "::1%nowhere"\nport: 0\nprojects: []\n',
    "host of no name": 'host: "a b"\nport: 0\nprojects: []\n',
    "host that is long": f'host: "{"a" * 300}"\nport: 1\nprojects: []\n',
    "privileged port": "port: 1\nprojects: []\n",
    "database": "database_url: sqlite:/dev/null/x.db\nport: 0\nprojects: []\n",
    "unknown plugin": PROJECT.format(repo="x", path=".", more="scm_config: {plugin: nosuch}"),
    "nothing": "",
    "bytes": "\x00\xff",
}
ENVIRONMENTS = {
    "no path": {"PATH": "/nowhere"},
    "unknown terminal": {"TERM": "no-such-terminal"},
    "C": {"LC_ALL": "C"},
    "locale of nobody": {"LC_ALL": "xx_YY.nosuch"},
    "tmux elsewhere": {"TMUX_TMPDIR": "/nowhere"},
    "a proxy that is none": {"https_proxy": "nonsense://[", "HTTP_PROXY": "://"},
    "columns": {"COLUMNS": "0"},
}


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_doctor_answers_to_an_odd_configuration(place: Place, name: str) -> None:
    (place.folder / "ennio.yaml").write_text(
        CONFIGURATIONS[name], encoding="latin-1" if name == "bytes" else "utf-8"
    )
    ended = place.ennio("doctor")
    assert "Traceback" not in ended.err, ended.err
    assert ended.code in (0, 1)
    assert ended.out
    assert place.ennio("doctor", "--json").document["findings"]


@pytest.mark.parametrize("name", ENVIRONMENTS)
@pytest.mark.parametrize(
    "words", [["doctor"], ["config", "check"], ["status"], ["board", "--once"]]
)
def test_commands_answer_in_an_odd_environment(place: Place, name: str, words: list[str]) -> None:
    (place.folder / "ennio.yaml").write_text(CONFIGURATIONS["github port"])
    ended = place.ennio(*words, **ENVIRONMENTS[name])
    assert "Traceback" not in ended.err, ended.err
    assert ended.code in (0, 1, 4)
