"""The file as a whole: what it means, and everything that is wrong with it at once."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from textwrap import indent

import pytest

from ennio.config import database
from ennio.config.load import check, load
from ennio.config.model import PluginChoice, Symlink
from ennio.config.money import Budget, BudgetPeriod, BudgetScope, OnExceed
from ennio.config.reactions import KEYS
from ennio.config.secrets import config_hash
from ennio.model.errors import ConfigError
from ennio.plugins.shipped import SHIPPED
from tests.config.writing import ENVIRON, PROJECT, loaded, problems, write


def test_incident_49_the_minimal_configuration_loads(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        "projects:\n  - name: my-project\n    repo: git@github.com:user/repo.git\n    path: "
        "/home/user/repos/repo\n",
    )
    (project,) = config.projects
    assert (
        project.id,
        project.session_prefix,
        project.runtime,
        project.agent,
        project.workspace,
    ) == (
        "my-project",
        "mp",
        "tmux",
        "claude-code",
        "worktree",
    )
    assert (config.port, config.terminal_port, config.ready_threshold, config.host) == (
        3000,
        None,  # a second port is there only where the file asks for one
        2.0,
        "127.0.0.1",
    )
    assert config.nats_url is None
    assert config.api_token is None
    assert tuple(project.reactions) == KEYS


def test_incident_46_a_variable_that_is_not_set_is_never_the_token(tmp_path: Path) -> None:
    (told,) = problems(tmp_path, f"api_token: ${{API_TOKEN}}\n{PROJECT}", {})
    assert told.startswith("line 1: api_token: names the variable API_TOKEN, which is not set")
    (empty,) = problems(tmp_path, f"api_token: ${{API_TOKEN}}\n{PROJECT}", {"API_TOKEN": ""})
    assert "api_token: is blank" in empty


@pytest.mark.parametrize(
    "target",
    [
        "../outside",
        "/etc/passwd",
        "a/../../b",
        ".",
        "",
        "~/x",
        ".git/hooks/pre-commit",
        "./.GIT/config",
        "${OUT}",
    ],
)
def test_incident_47_a_symlink_outside_of_the_workspace_is_refused(
    tmp_path: Path, target: str
) -> None:
    text = f"{PROJECT}    symlinks:\n      - source: ../.env\n        target: '{target}'\n"
    (told,) = problems(tmp_path, text, {"OUT": "../../x"})
    assert "projects[0].symlinks[0].target" in told


def test_a_symlink_below_the_root_is_fine(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, f"{PROJECT}    symlinks:\n      - source: ../.env\n        target: ./conf/.env\n"
    )
    assert config.projects[0].symlinks == (Symlink(Path("../.env"), Path("conf/.env")),)


def test_all_problems_are_told_at_once_with_place_and_line(tmp_path: Path) -> None:
    text = """\
        port: 99999
        prot: 3000
        ready_threshold: soon
        projects:
          - name: app
            repo: https://example.com/app.git
            agnet: aider
          - name: two
            repo: org/app
            path: /x
            default_branch: "a b"
            reactions:
              ci-fail: {enabled: true}
              agent-stuck: {action: shout, retries: -1}
        notification_routing:
          ci-failed: [nobody]
        budgets:
          - {scope: project, id: other, limit_usd: 5}
          - {scope: globe, limit_usd: much}
    """
    assert problems(tmp_path, text) == [
        "line 1: port: `99999` is not a whole number from 0 to 65535",
        "line 2: prot: is no known key here: did you mean `port`?",
        (
            "line 3: ready_threshold: `soon` is not a duration: write a number with ms, s, m, h "
            "or d "
            "behind it, such as 500ms, 90s or 5m"
        ),
        "line 5: projects[0].path: is missing",
        "line 7: projects[0].agnet: is no known key here: did you mean `agent`?",
        (
            "line 9: projects[1].repo: `org/app` is neither a URL (https://, ssh://, "
            "git@host:owner/name) nor a path (/…, ~/…, ./…, ../…)"
        ),
        (
            "line 11: projects[1].default_branch: `a b` is not a branch name git accepts: it "
            "contains "
            "' '"
        ),
        "line 13: projects[1].reactions.ci-fail: is no known key here: did you mean `ci-failed`?",
        (
            "line 14: projects[1].reactions.agent-stuck.action: `shout` is none of send_to_agent, "
            "notify, auto_merge"
        ),
        (
            "line 14: projects[1].reactions.agent-stuck.retries: `-1` is not a whole number from 0 "
            f"to {2**32 - 1}"
        ),
        (
            "line 16: notification_routing.ci-failed[0]: `nobody` is not the name of one of "
            "`notifiers`: known are desktop"
        ),
        "line 18: budgets[0].id: `other` is not the id or name of a project",
        (
            "line 19: budgets[1].scope: `globe` is none of global, project, session: did you mean "
            "`global`?"
        ),
        (
            "line 19: budgets[1].limit_usd: `much` is not an amount of US dollars: write a number "
            "such as 25 or 2.50"
        ),
    ]


def test_load_raises_what_check_tells(tmp_path: Path) -> None:
    path = write(tmp_path, "prot: 1\nport: x\n")
    with pytest.raises(ConfigError) as raised:
        load(path, ENVIRON)
    assert list(raised.value.problems) == check(path, ENVIRON)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("port: 0777", "YAML reads in its own way"),
        ("port: true", "`true` is not a whole number"),
        ("port: '08'", "not a whole number"),
        ("port: 4000\nterminal_port: 4000", "terminal_port: `4000` is the port of `port` already"),
        ("api_token: 12345", "api_token: the value is a number to YAML: write it in quotes"),
        ("api_token: a b", "no HTTP header can carry"),
        ("host: no", "host: `no` is a yes or no to YAML"),
        ("host:", "host: is empty"),
        ("projects: {}", "projects: the value is not a list"),
        ("projects: [app]", "projects[0]: `app` is not a mapping"),
        ("projects: [~]", "projects[0]: is empty"),
        ("defaults: [tmux]", "defaults: the value is not a mapping"),
        ("cors_origins: ['*']", "not a URL that starts with http"),
        ("cors_origins: [http://a.example/path]", "more than an origin"),
        ("cors_origins: ['http://[']", "not a URL"),
        ("nats_url: http://x", "starts with nats:// or tls://"),
        ("database_url: ennio.db", "is no database URL"),
        ("database_url: mysql://x/y", "is no database URL"),
        ("database_url: 'sqlite:'", "names no database file"),
        ("database_url: 'sqlite:x.db?cache=shared'", "has options after its file"),
        ("database_url: postgresql://me@host", "names no database of the server"),
        ("database_url: 'postgresql://[me@host/db'", "is no address of a PostgreSQL server"),
        ("min_free_memory: 1 gig", "is not a size"),
        ("poll: {runtime: 0}", "too short: at least 100ms"),
        ("budgets: [{scope: global, id: x, limit_usd: 1}]", "does not go with `scope: global`"),
        (
            "budgets: [{scope: global, limit_usd: 1}, {scope: global, limit_usd: 2}]",
            "budgets[1]: limits the same as budgets[0]: keep one",
        ),
        (
            "prices: [{model: m, input: 1, output: 2}, {model: m, above: 0, input: 3, output: 4}]",
            "prices[1].model: `m` has its price in prices[0] already: keep one of them, or",
        ),
        (
            "prices: [{model: m, tier: ~, input: 1, output: 2}, {model: m, input: 3, output: 4}]",
            "prices[1].model: `m` has its price in prices[0] already",
        ),
        ("budgets: [{scope: global, limit_usd: 1, warn_at: 80}]", "from 0 to 1"),
        ("budgets: [{scope: global, limit_usd: 0.0000001}]", "not an amount"),
        ("budgets: [{scope: global}]", "limits nothing: give limit_usd, limit_tokens or both"),
        ("budgets: [{scope: session, id: each, limit_usd: 1}]", "stands for each of them"),
        ("notification_routing: {ci-fail: [desktop]}", "did you mean `ci-failed`?"),
        ("defaults: {notifiers: [desk]}", "did you mean `desktop`?"),
        (
            "notifiers: [{plugin: slack, name: a}, {plugin: webhook, name: a}]",
            "notifiers[1].name: `a` is the name of notifiers[0] already",
        ),
        ("reactions: {ci-failed: }", "reactions.ci-failed: is empty"),
    ],
)
def test_a_wrong_value_is_told_with_the_way_out(tmp_path: Path, text: str, words: str) -> None:
    (told,) = problems(tmp_path, text)
    assert words in told


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name: 日本", "gives no project id: add `project_id`"),
        ("name: app\nproject_id: a.b", "`a.b` is not an id"),
        ("name: app\nsession_prefix: 'a:b'", "`a:b` is not an id"),
        (f"name: app\nsession_prefix: {'x' * 120}", "1 to 119 letters"),
        ("name: 12", "is a number to YAML"),
        ("name: app\nruntime: ssh", "`ssh` needs `ssh_config`"),
        ("name: app\nenv: {ENNIO_HOME: x}", "Ennio keeps for its own"),
        ("name: app\nenv: {A-B: x}", "not a name of an environment variable"),
        ("name: app\nenv: {A: true}", "`true` is a yes or no to YAML"),
        ("name: app\npost_create: npm ci", "`npm ci` is not a list"),
        (
            "name: app\nsymlinks: [{source: a, target: b}, {source: c, target: b}]",
            "`b` is the target of symlinks[0] already",
        ),
        ("name: app\nssh_config: {host: h, username: u}", "ssh_config.auth: is missing"),
        (
            "name: app\nssh_config: {host: h, username: u, auth: {type: key}}",
            "ssh_config.auth.path: is missing: `type: key` needs it",
        ),
        (
            "name: app\nssh_config: {host: h, username: u, auth: {type: agent, password: secret}}",
            "password: does not go with `type: agent`",
        ),
        ("name: app\nssh_config: {host: h, username: u, auth: {}}", "auth.type: is missing"),
        ("name: app\nprotected_branches: [origin/release]", "write what follows after it"),
        ("name: app\nprotected_branches: ['*']", "protects every branch"),
        ("name: app\nprotected_branches: ['a b*']", "no branch name git accepts"),
    ],
)
def test_a_wrong_project_is_told_with_the_way_out(tmp_path: Path, text: str, words: str) -> None:
    body = indent(f"{text}\nrepo: https://example.com/app.git\npath: /srv/app\n", "    ").replace(
        "    ", "  - ", 1
    )
    (told,) = problems(tmp_path, f"projects:\n{body}")
    assert words in told
    assert "secret" not in told


def test_two_projects_share_neither_name_nor_id_but_may_share_a_prefix(tmp_path: Path) -> None:
    entry = "  - {{name: {}, repo: ./x, path: /x{}}}\n"
    same = (
        "projects:\n"
        + entry.format("My App", "")
        + entry.format("my-app", "")
        + entry.format("my-app", ", project_id: other")
    )
    assert problems(tmp_path, same) == [
        (
            "line 3: projects[1].name: `my-app` gives the id of projects[0] again: give one of "
            "them a "
            "`project_id` of its own"
        ),
        "line 4: projects[2].name: `my-app` is the name of projects[1] already",
    ]
    crossed = (
        "projects:\n" + entry.format("a", ", project_id: b") + entry.format("b", ", project_id: c")
    )
    assert (
        "leads to the id `b`, which is the name of another project"
        in problems(tmp_path, crossed)[0]
    )
    config = loaded(
        tmp_path, "projects:\n" + entry.format("red-cat", "") + entry.format("rude-cow", "")
    )
    assert [project.session_prefix for project in config.projects] == ["rc", "rc"]


def test_a_plugin_nobody_ships_is_told_when_the_names_are_known(tmp_path: Path) -> None:
    text = (
        f"{PROJECT}    agent: claude_code\n    tracker_config: {{plugin: jira}}\nnotifiers: "
        f"[{{plugin: slak, name: a}}]\n"
    )
    told = problems(tmp_path, text, known=SHIPPED)
    assert [line.split(": ", 1)[1] for line in told] == [
        "projects[0].agent: `claude_code` is no agent plugin: did you mean `claude-code`?",
        (
            "projects[0].tracker_config.plugin: `jira` is no tracker plugin: known are github, "
            "linear, local"
        ),
        "notifiers[0].plugin: `slak` is no notifier plugin: did you mean `slack`?",
    ]
    assert problems(tmp_path, text) == []


def test_what_is_known_is_told_once_each(tmp_path: Path) -> None:
    channels = "notifiers: [{plugin: slack, name: w}, {plugin: slack, name: w}]"
    told = problems(tmp_path, f"{channels}\ndefaults: {{notifiers: [gong]}}\n{PROJECT}")
    assert any(line.endswith(": known are w, desktop") for line in told), told


def test_paths_are_relative_to_the_file_and_never_to_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "conf"
    folder.mkdir()
    text = (
        "projects:\n  - {name: a, repo: ../hub.git, path: .}\n  - {name: b, repo: "
        "'file:///srv/b%20b.git', path: ~/b}\n"
    )
    path = write(folder, text)
    monkeypatch.chdir(tmp_path)
    for named in (path, Path("conf/../conf/ennio.yaml")):
        config = load(named, ENVIRON)
        assert (config.source, config.directory, config.database_url) == (
            path,
            folder,
            f"sqlite:{folder}/ennio.db",
        )
        assert [(project.repo, str(project.path)) for project in config.projects] == [
            (str(tmp_path / "hub.git"), str(folder)),
            ("/srv/b b.git", "/home/someone/b"),
        ]


def test_an_unknown_home_is_told(tmp_path: Path) -> None:
    (told,) = problems(
        tmp_path, "projects:\n  - {name: a, repo: ./a, path: ~nobody-of-this-name/a}\n"
    )
    assert "that user has no home here" in told


@pytest.mark.parametrize(
    ("written", "resolved"),
    [
        ("sqlite:data/x.db", "sqlite:{}/data/x.db"),
        ("sqlite://x.db", "sqlite:{}/x.db"),
        ("sqlite:///srv/x.db?mode=rwc", "sqlite:/srv/x.db"),
        ("sqlite:////srv/x.db", "sqlite:/srv/x.db"),
        ("sqlite:/x/y.db", "sqlite:/x/y.db"),
        ("sqlite://x.db?mode=rwc", "sqlite:{}/x.db"),
        ("sqlite:~/x.db", "sqlite:/home/someone/x.db"),
        ("sqlite::memory:", "sqlite::memory:"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
    ],
)
def test_a_database_url_is_made_absolute(tmp_path: Path, written: str, resolved: str) -> None:
    found = loaded(tmp_path, f"database_url: {written}\n").database_url
    assert found == resolved.format(tmp_path)
    assert database.resolved(found, tmp_path / "elsewhere") == found, "and stays as it is"


def test_the_environment_counts_where_the_file_is_silent(tmp_path: Path) -> None:
    environ = {"DATABASE_URL": "sqlite:other.db", "NATS_URL": "nats://n:4222"}
    silent = loaded(tmp_path, PROJECT, environ)
    assert (silent.database_url, silent.nats_url) == (
        f"sqlite:{tmp_path}/other.db",
        "nats://n:4222",
    )
    telling = loaded(
        tmp_path, f"database_url: sqlite:own.db\nnats_url: nats://own:1\n{PROJECT}", environ
    )
    assert (telling.database_url, telling.nats_url) == (f"sqlite:{tmp_path}/own.db", "nats://own:1")
    wrong = problems(
        tmp_path, PROJECT, {"DATABASE_URL": "mysql://me:hidden@x/y", "NATS_URL": "http://x"}
    )
    assert len(wrong) == 2
    assert "DATABASE_URL" in wrong[0]
    assert "NATS_URL" in wrong[1]
    assert "hidden" not in str(wrong)


@pytest.mark.parametrize(
    "repo",
    [
        "git@github.com:user/repo.git",
        "https://github.com/user/repo",
        "https://x@github.com/user/repo.git/",
        "ssh://git@github.com/user/repo.git",
    ],
)
def test_a_repository_on_github_brings_its_tracker_and_scm(tmp_path: Path, repo: str) -> None:
    (project,) = loaded(
        tmp_path,
        f"projects:\n  - {{name: a, repo: '{repo}', path: /a, scm_config: {{plugin: github, "
        f"config: {{token: t}}}}}}\n",
    ).projects
    assert project.tracker == PluginChoice("github", {"owner": "user", "repo": "repo"})
    assert project.forge == PluginChoice("github", {"owner": "user", "repo": "repo", "token": "t"})


@pytest.mark.parametrize(
    ("repo", "forge"),
    [
        ("./hub.git", "local"),
        ("/srv/hub.git", "local"),
        ("file:///srv/hub.git", "local"),
        ("https://example.com/x.git", None),
    ],
)
def test_the_local_forge_serves_local_repositories_only(
    tmp_path: Path, repo: str, forge: str | None
) -> None:
    (project,) = loaded(
        tmp_path, f"projects:\n  - {{name: a, repo: '{repo}', path: /a}}\n"
    ).projects
    assert (project.forge and project.forge.plugin) == forge
    assert project.tracker is None


@pytest.mark.parametrize(
    "repo",
    ["--upload-pack=x", "org/app", "word", "ext::sh -c x", "git@github.com:", "https://", "a b:c"],
)
def test_what_git_could_take_for_an_option_or_a_command_is_no_repository(
    tmp_path: Path, repo: str
) -> None:
    assert (
        "neither a URL"
        in problems(tmp_path, f"projects:\n  - {{name: a, repo: '{repo}', path: /a}}\n")[0]
    )


def test_a_remote_project_keeps_the_paths_of_its_machine(tmp_path: Path) -> None:
    ssh = (
        "ssh_config: {host: h, username: u, auth: {type: key, path: key}, node_config: "
        "{workspace_root: ~/w}}"
    )
    (project,) = loaded(
        tmp_path, f"projects:\n  - {{name: a, repo: /srv/a.git, path: ~/a, {ssh}}}\n"
    ).projects
    assert (str(project.path), project.repo, project.forge) == ("~/a", "/srv/a.git", None)
    assert project.ssh is not None
    assert project.ssh.auth.path == tmp_path / "key"
    assert project.ssh.node_config is not None
    assert str(project.ssh.node_config.workspace_root) == "~/w"
    (told,) = problems(tmp_path, f"projects:\n  - {{name: a, repo: /srv/a.git, path: a, {ssh}}}\n")
    assert "is relative: on a remote machine" in told


def test_a_bare_ready_threshold_is_milliseconds_and_other_durations_seconds(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        f"ready_threshold: 500\npoll: {{forge: 30}}\ncleanup: {{merged_after: ~, done_after: "
        f"2h}}\n{PROJECT}    post_create_timeout: 5m\n",
    )
    assert (
        config.ready_threshold,
        config.poll.forge,
        config.cleanup.merged_after,
        config.cleanup.done_after,
    ) == (0.5, 30.0, None, 7200.0)
    assert config.projects[0].post_create_timeout == 300.0


def test_numbers_and_switches_may_come_from_variables(tmp_path: Path) -> None:
    text = (
        "port: ${PORT}\nreactions: {ci-failed: {enabled: '${ON}', retries: '${N:-7}'}}\nbudgets: "
        "[{scope: global, limit_usd: '${USD}'}]\n"
    )
    config = loaded(tmp_path, text, {"PORT": "8080", "ON": "false", "USD": "2.50"})
    assert (
        config.port,
        config.reactions["ci-failed"].enabled,
        config.reactions["ci-failed"].retries,
    ) == (8080, False, 7)
    assert config.budgets == (Budget(BudgetScope.GLOBAL, Decimal("2.50")),)
    (told,) = problems(tmp_path, "port: ${PORT}", {"PORT": "hidden-value"})
    assert told == "line 1: port: `${PORT}` is not a whole number from 0 to 65535"


def test_budgets_are_exact(tmp_path: Path) -> None:
    text = (
        "budgets:\n  - {scope: session, period: daily, limit_usd: 0.1, on_exceed: kill, warn_at: "
        "0.5}\n"
    )
    assert loaded(tmp_path, text).budgets == (
        Budget(BudgetScope.SESSION, Decimal("0.1"), BudgetPeriod.DAILY, None, OnExceed.KILL, 0.5),
    )


def test_environment_values_are_text(tmp_path: Path) -> None:
    config = loaded(
        tmp_path, f"{PROJECT}    env: {{PORT: 8080, NAME: '', TOKEN: '${{GITHUB_TOKEN}}'}}\n"
    )
    assert config.projects[0].env == {"PORT": "8080", "NAME": "", "TOKEN": ENVIRON["GITHUB_TOKEN"]}


def test_sections_left_empty_count_as_left_out(tmp_path: Path) -> None:
    config = loaded(
        tmp_path,
        f"defaults:\nnotifiers:\nreactions:\nbudgets:\n{PROJECT}    symlinks:\n    env:\n    "
        "reactions:\n",
    )
    assert config.notifiers == ()
    assert config.projects[0].env == {}


def test_a_notifier_that_needs_no_settings_need_not_be_defined(tmp_path: Path) -> None:
    config = loaded(tmp_path, "defaults: {notifiers: [desktop]}\n")
    assert [(notifier.plugin, notifier.name) for notifier in config.notifiers] == [
        ("desktop", "desktop")
    ]
    assert loaded(tmp_path, PROJECT).notifiers == ()


@pytest.mark.parametrize(
    "make", [lambda _: None, lambda path: path.mkdir(), lambda path: path.symlink_to(path)]
)
def test_a_file_that_cannot_be_read_is_a_problem_of_its_author(
    tmp_path: Path, make: object
) -> None:
    path = tmp_path / "ennio.yaml"
    assert callable(make)
    make(path)
    with pytest.raises(ConfigError, match=r"cannot be read .*--config FILE") as refused:
        load(path, ENVIRON)
    # what is there is somebody's, and init would refuse to write over it
    assert ("ennio init" in str(refused.value)) is not os.path.lexists(path)


def test_the_config_hash_follows_the_configuration_but_not_its_secrets(tmp_path: Path) -> None:
    def hashed(more: str, environ: dict[str, str] | None = None) -> str:
        return (
            loaded(tmp_path, f"{PROJECT}{more}", environ or dict(ENVIRON)).projects[0].config_hash
        )

    forge = "    scm_config: {plugin: github, config: {token: '${GITHUB_TOKEN}'}}\n"
    (project,) = loaded(tmp_path, PROJECT).projects
    assert config_hash(project) == project.config_hash
    assert len(hashed("")) == 12
    assert int(hashed(""), 16) >= 0
    assert hashed("") == hashed("    agent: claude-code\n")
    assert hashed("") != hashed("    agent: aider\n")
    assert hashed("    env: {MODE: a}\n") != hashed("    env: {MODE: b}\n")
    assert hashed(forge) == hashed(forge, {"GITHUB_TOKEN": "another"})
    assert hashed("") != hashed(forge)


def test_a_budget_may_name_its_project_by_name(tmp_path: Path) -> None:
    text = (
        "projects: [{name: My App, repo: ./a, path: /a}]\nbudgets:\n  - {scope: project, id: My "
        "App, limit_usd: 1}\n"
    )
    assert [budget.id for budget in loaded(tmp_path, text).budgets] == ["my-app"]


def test_reading_a_configuration_is_quick(tmp_path: Path) -> None:
    text = "projects:\n" + "".join(
        f"  - {{name: p{number}, repo: ./x, path: /x}}\n" for number in range(200)
    )
    path = write(tmp_path, text)
    before = os.times()
    assert len(load(path, ENVIRON).projects) == 200
    after = os.times()
    assert after.user - before.user < 3.0
