"""How trust is kept: by the real path of a file, for its owner alone, and by
nobody an agent could be.
"""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from ennio.config.model import Demand
from ennio.config.trusted import (
    VARIABLE,
    brief,
    command,
    forget,
    insist,
    known,
    refusal,
    trust,
    unknown,
)
from ennio.machine.home import Home
from ennio.model.errors import Refused, Untrusted
from tests.config.writing import PROJECT, loaded


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "home")


def record(home: Home) -> Path:
    (file,) = (home.root / "trust").iterdir()
    return file


def test_what_is_kept_is_private_and_holds_nothing_of_the_file(tmp_path: Path, home: Home) -> None:
    config = loaded(
        tmp_path,
        PROJECT.replace("path: /srv/app", "path: /srv/app\n    post_create: [make very-special]"),
    )
    trust(config, home, {})
    assert record(home).stat().st_mode & 0o777 == 0o600
    assert record(home).parent.stat().st_mode & 0o777 == 0o700
    assert "very-special" not in record(home).read_text()
    assert json.loads(record(home).read_text())["file"] == str(config.source.resolve())
    insist(config, home, {})


def test_a_refusal_names_the_file_what_it_would_do_and_the_command(
    tmp_path: Path, home: Home
) -> None:
    config = loaded(tmp_path, PROJECT)
    with pytest.raises(Untrusted) as refused:
        insist(config, home, {})
    assert refused.value.exit_code == 5
    assert str(config.source) in str(refused.value)
    assert "talk to projects[app].repo (https://example.com/app.git)" in str(refused.value)
    assert command(config.source) in str(refused.value)


def test_a_command_that_is_cut_in_a_refusal_says_so_and_where_it_is_whole() -> None:
    long = "cat >> /tmp/notices.jsonl; " * 8 + "echo the-very-end"
    file = Path("/srv/ennio.yaml")
    said = refusal(file, [Demand("run", "notifiers[ops]", (f"argv: sh -c '{long}'",), "")])
    (shown,) = re.findall(r"notifiers\[ops\] \((.*?)\)", said)
    assert shown.startswith("argv: sh -c 'cat >> /tmp/notices.jsonl; ")
    assert shown.endswith("…")
    assert f"{command(file)} --show" in said


def test_what_fits_a_refusal_is_whole_and_on_one_line() -> None:
    assert brief(Demand("run", "a", ("sh", "one\ntwo"), "")) == "a (sh, one two)"
    assert brief(Demand("run", "a", ("x" * 200,), "")) == f"a ({'x' * 200})"
    assert brief(Demand("run", "a", ("x" * 201,), "")) == f"a ({'x' * 199}…)"


def test_trust_is_of_one_file_and_can_be_taken_back(tmp_path: Path, home: Home) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (loaded(tmp_path / name, PROJECT) for name in ("one", "two"))
    trust(one, home, {})
    assert unknown(one, home, {}) == ()
    assert unknown(two, home, {}) == two.demands
    assert known(one.source, home)
    assert forget(one.source, home)
    assert unknown(one, home, {}) == one.demands
    assert not known(one.source, home)
    assert not forget(one.source, home)


def test_what_was_trusted_before_and_is_gone_is_trusted_no_more(tmp_path: Path, home: Home) -> None:
    first = loaded(tmp_path, PROJECT)
    trust(first, home, {})
    trust(loaded(tmp_path, PROJECT.replace("example.com", "example.org")), home, {})
    assert [demand.place for demand in unknown(loaded(tmp_path, PROJECT), home, {})] == [
        "projects[app].repo"
    ]


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"file": 1}', '{"file": "/x", "salt": "", "digests": 1}', "\x00"]
)
def test_a_record_that_cannot_be_understood_trusts_nothing(
    content: str, tmp_path: Path, home: Home
) -> None:
    config = loaded(tmp_path, PROJECT)
    trust(config, home, {})
    record(home).write_text(content)
    assert unknown(config, home, {}) == config.demands


def test_a_record_that_others_could_have_written_trusts_nothing(tmp_path: Path, home: Home) -> None:
    config = loaded(tmp_path, PROJECT)
    trust(config, home, {})
    record(home).chmod(0o662)
    assert unknown(config, home, {}) == config.demands


def test_the_record_of_another_file_put_in_its_place_trusts_nothing(
    tmp_path: Path, home: Home
) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    one, two = (loaded(tmp_path / name, PROJECT) for name in ("one", "two"))
    trust(one, home, {})
    kept = record(home)
    trust(two, home, {})
    (other,) = set((home.root / "trust").iterdir()) - {kept}
    other.write_bytes(kept.read_bytes())
    assert unknown(two, home, {}) == two.demands


def test_paths_can_be_trusted_by_the_environment_whole_ones_alone(
    tmp_path: Path, home: Home
) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "app")
    config = loaded(tmp_path / "app", PROJECT)
    for paths in (str(tmp_path), f"/nowhere{os.pathsep}{config.source}", f"{tmp_path}/link", "/"):
        assert unknown(config, home, {VARIABLE: paths}) == (), paths
    for paths in ("", ":", "1", "true", ".", "app", f"{tmp_path}/ap", f"{tmp_path}/other", "~"):
        assert unknown(config, home, {VARIABLE: paths}) == config.demands, paths


def test_an_agent_in_a_session_cannot_trust(tmp_path: Path, home: Home) -> None:
    config = loaded(tmp_path, PROJECT)
    with pytest.raises(Refused, match="a person does"):
        trust(config, home, {"ENNIO_SESSION_ID": "app-1"})
    assert unknown(config, home, {}) == config.demands
    assert unknown(config, home, {"ENNIO_SESSION_ID": "app-1", VARIABLE: "/"}) == config.demands
