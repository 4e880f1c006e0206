"""What plugins want of their settings is said by `config check`, `doctor` and `start` alike,
and before anything runs.
"""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Place

WRONG = {
    "command": (
        "agent: command",
        "projects[0].agent_config.passthrough",
        "the command agent needs `argv: [program, ...]`",
    ),
    "command-key": (
        "agent: command\n    agent_config: {passthrough: {run: x, nonsense: 1}}",
        "projects[0].agent_config.passthrough.nonsense",
        "is no known key here: known are argv, run",
    ),
    "flag": (
        "agent: claude-code\n    agent_config: {passthrough: {resume: x}}",
        "projects[0].agent_config.passthrough.resume",
        "is set by Ennio itself",
    ),
    "secret-flag": (
        "agent: aider\n    agent_config: {passthrough: {api_key: x}}",
        "projects[0].agent_config.passthrough.api_key",
        "looks like a secret",
    ),
    "permissions": (
        'agent: codex\n    agent_config: {permissions: "--a \'b"}',
        "projects[0].agent_config.permissions",
        "cannot be split into flags",
    ),
    "opencode": (
        "agent: opencode\n    agent_config: {passthrough: {port: 1}}",
        "projects[0].agent_config.passthrough.port",
        "is set by Ennio itself",
    ),
    "story": (
        "agent: scripted\n    agent_config: {passthrough: {story: missing.yaml}}",
        "projects[0].agent_config.passthrough",
        "missing.yaml: cannot be read",
    ),
    "local-forge": (
        "scm_config: {plugin: local, config: {checks: [{name: t}]}}",
        "projects[0].scm_config.config.checks[0].run",
        "is missing: write the shell command",
    ),
    "local-forge-far": (
        "repo: https://example.com/a.git\n    scm_config: {plugin: local}",
        "projects[0].repo",
        "the local forge needs a repository on this machine",
    ),
    "github-forge": (
        "scm_config: {plugin: github, config: {owner: a, repo: b, mergemethod: x}}",
        "projects[0].scm_config.config.mergemethod",
        "did you mean `merge_method`?",
    ),
    "github-tracker": (
        "tracker_config: {plugin: github, config: {owner: a, repo: b, comment: [born]}}",
        "projects[0].tracker_config.config.comment[0]",
        "is no milestone",
    ),
    "linear": (
        "tracker_config: {plugin: linear, config: {}}",
        "projects[0].tracker_config.config.api_key",
        "is missing; write api_key",
    ),
    "local-tracker": (
        "tracker_config: {plugin: local, config: {paht: x}}",
        "projects[0].tracker_config.config.paht",
        "is no known key here: did you mean `path`?",
    ),
}


def write(place: Place, settings: str) -> None:
    (place.folder / ".git").mkdir(exist_ok=True)
    repo = "" if "repo: https" in settings else f"repo: {place.folder}\n    "
    (place.folder / "ennio.yaml").write_text(
        f"port: 0\nprojects:\n  - name: a\n    path: .\n    {repo}{settings}\n"
    )


@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "untrusted"])
@pytest.mark.parametrize("which", WRONG)
def test_check_doctor_and_start_say_the_same_of_a_plugin_s_settings(
    which: str, trusted: bool, place: Place
) -> None:
    settings, where, words = WRONG[which]
    write(place, settings)
    paths = {} if trusted else {"ENNIO_TRUSTED_CONFIG_PATHS": ""}
    check = place.ennio("config", "check", "--json", **paths)
    assert check.code == 1
    (problem,) = check.document["problems"]
    assert problem["path"] == where
    assert words in problem["message"]
    line = (place.folder / "ennio.yaml").read_text().splitlines()[problem["line"] - 1]
    key = where.rpartition(".")[2].partition("[")[0]
    assert (
        settings.split(":")[0] in line or key in line or (which, line) == ("command", "  - name: a")
    )
    doctor = place.ennio("doctor", "--json", **paths)
    assert doctor.code == 1
    assert [
        finding
        for finding in doctor.document["findings"]
        if finding["level"] == "broken" and problem["message"] in finding["what"]
    ]
    if trusted:
        start = place.ennio("start", "--detach", "--json")
        assert start.code == 1
        assert json.loads(start.out)["problems"] == [problem]


def test_everything_that_is_wrong_with_settings_and_with_the_rest_is_told_at_once(
    place: Place,
) -> None:
    repo = place.folder
    (place.folder / "ennio.yaml").write_text(
        f"""\
prot: 0
projects:
  - name: a
    path: .
    repo: {repo}
    agent: command
    agent_config:
      passthrough:
        runn: x
        stdin: 3
    scm_config:
      plugin: local
      config:
        checks:
          - {{name: t, run: make, timout: 5m}}
          - {{name: T, run: make}}
        draft: maybe
    tracker_config: {{plugin: local, config: {{comment: [mergd]}}}}
  - {{name: b, path: ., repo: {repo}, agent: aider, agent_config: {{passthrough: {{api_key: x, model: y}}}}}}
"""
    )
    first, second = "projects[0]", "projects[1].agent_config.passthrough"
    wanted = [
        ("prot", 1, "did you mean `port`?"),
        (f"{first}.agent_config.passthrough.runn", 9, "did you mean `run`?"),
        (f"{first}.agent_config.passthrough.stdin", 10, "`3` is neither true nor false"),
        (f"{first}.scm_config.config.checks[0].timout", 15, "did you mean `timeout`?"),
        (f"{first}.scm_config.config.checks[1].name", 16, "`T` is the name of a check already"),
        (f"{first}.scm_config.config.draft", 17, "`maybe` is neither true nor false"),
        (f"{first}.tracker_config.config.comment[0]", 18, "did you mean `merged`?"),
        (f"{second}.api_key", 19, "looks like a secret"),
        (f"{second}.model", 19, "is set by Ennio itself"),
    ]
    problems = place.ennio("config", "check", "--json").document["problems"]
    told = {problem["path"]: (problem["line"], problem["message"]) for problem in problems}
    for path, line, words in wanted:
        assert told[path][0] == line, path
        assert words in told[path][1], path
    # what is misspelt may be what is needed: the need is told once the spelling is right
    assert len(told) == len(wanted)


IN_VAIN = {
    "nats_instance: alto": "nats_stream and nats_instance do nothing without nats_url",
}


@pytest.mark.parametrize("text", IN_VAIN)
def test_what_is_asked_for_in_vain_is_said_plainly(text: str, place: Place) -> None:
    write(place, "agent: scripted")
    with (place.folder / "ennio.yaml").open("a") as file:
        file.write(f"{text}\n")
    check = place.ennio("config", "check", "--json")
    assert check.code == 0
    (warning,) = check.document["warnings"]
    assert IN_VAIN[text] in warning
    said = place.ennio("config", "check").out
    assert "is fine" not in said
    assert warning in said
    assert warning in place.ennio("doctor").out


def test_a_path_without_a_repository_is_said_with_its_line_in_the_words_of_doctor(
    place: Place,
) -> None:
    write(place, "agent: scripted")
    file = place.folder / "ennio.yaml"
    missing = place.folder / "nowhere"
    file.write_text(file.read_text().replace("path: .", f"path: {missing}"))
    words = f"project a: {missing} is no git repository"
    check = place.ennio("config", "check", "--json")
    assert (check.code, check.document["problems"]) == (0, [])
    (warning,) = check.document["warnings"]
    way_out = f"git clone {place.folder} {missing}"
    assert warning == f"line 4: projects[0].path: {words}; {way_out}"
    assert warning in place.ennio("config", "check").out
    doctor = place.ennio("doctor").out
    assert words in doctor
    assert way_out in doctor
    far = "ssh_config: {host: far, username: me, auth: {type: agent}}"
    file.write_text(f"{file.read_text()}    {far}\n")
    assert place.ennio("config", "check", "--json").document["warnings"] == []


def test_a_file_in_which_all_is_well_is_fine(place: Place) -> None:
    write(place, "agent: scripted")
    assert place.ennio("config", "check").out == f"{place.folder / 'ennio.yaml'} is fine\n"
    untrusted = place.ennio("config", "check", ENNIO_TRUSTED_CONFIG_PATHS="")
    assert (untrusted.code, "it is not trusted yet: ennio config trust" in untrusted.out) == (
        0,
        True,
    )


NATS = {
    "nats_stream: true": "nats_stream and nats_instance do nothing without nats_url",
    "nats_url: nats://127.0.0.1:4222\nnats_nkey_file: user.nk": "nats_nkey_file: it holds no seed",
    "nats_url: nats://127.0.0.1:4222\nnats_credentials_file: no.creds": "{folder}/no.creds cannot",
}


@pytest.mark.parametrize("text", NATS)
def test_what_is_missing_to_log_in_to_nats_is_said_before_a_start(text: str, place: Place) -> None:
    write(place, "agent: scripted")
    with (place.folder / "ennio.yaml").open("a") as file:
        file.write(f"{text}\n")
    (place.folder / "user.nk").write_text("no seed")
    (warning,) = place.ennio("config", "check", "--json").document["warnings"]
    assert NATS[text].format(folder=place.folder) in warning


def test_two_ways_to_log_in_to_nats_are_one_too_many(place: Place) -> None:
    write(place, "agent: scripted")
    with (place.folder / "ennio.yaml").open("a") as file:
        file.write("nats_url: nats://me:secret@127.0.0.1\nnats_nkey_file: a\nnats_cert_file: b\n")
        file.write("nats_instance: sessions\n")
    problems = place.ennio("config", "check", "--json").document["problems"]
    told = {problem["path"]: problem["message"] for problem in problems}
    assert "keep one of them" in told["nats_nkey_file"]
    assert "without nats_key_file" in told["nats_cert_file"]
    assert "choose another name" in told["nats_instance"]
