"""Thousands of requests made from the API's own description, right ones and wrong ones, to a
supervisor that really runs.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

from ennio.http import address
from tests.e2e.house import ROOT
from tests.security.ground import LivedIn, lived_in

SECONDS = int(os.environ.get("ENNIO_SCHEMA_SECONDS", "0"))
"""How long to try. Without a word on it every operation is tried so many times, however long that
takes on a machine that has much to do; a night of it finds more.
"""
EXAMPLES = 10
SEED = os.environ.get("ENNIO_SCHEMA_SEED") or ("1" if os.environ.get("CI") else "")
"""What a failure printed as its seed, to see it again. Where one change is judged by it, it is the
same each time; everywhere else it is another one, and finds more.
"""

LEFT_OUT = ("/api/v1/shutdown", "/api/v1/events/stream")
"""One ends what is being tried, the other never ends; test_doors.py and
test_hostile.py see to them.
"""

CHECKS = (
    "no_error_of_ennio_itself", "status_code_conformance", "content_type_conformance", "response_schema_conformance",
    "negative_data_rejection", "unsupported_method", "allow_header_conformance", "ignored_auth",
)  # fmt: skip

# the token comes from the environment: everybody can read a command line
SETTINGS = """\
hooks = "tests.security.schema_checks"
headers = { Authorization = "Bearer ${ENNIO_TOKEN_HERE}" }

[checks.negative_data_rejection]
expected-statuses = [400, 401, 404, 405, 409, 413, 414, 415, 431]
"""


def known_to(found: LivedIn, document: dict[str, Any]) -> dict[str, Any]:
    """The document with what really is there among the ids to try: at
    random nobody meets a session.
    """
    there = {
        "session_id": list(found.sessions),
        "item_id": list(found.sessions),
        "project_id": ["score"],
        "number": [1],
        "name": ["nobody"],  # a channel for notices
        "node": ["here"],
        "check": ["unit"],
    }
    document = deepcopy(document)
    for path in LEFT_OUT:
        del document["paths"][path]
    for item in document["paths"].values():
        for parameter in item.get("parameters", ()):
            parameter["schema"] = {
                "anyOf": [{"enum": there[parameter["name"]]}, parameter["schema"]]
            }
    spawn = document["paths"]["/api/v1/sessions"]["post"]["requestBody"]["content"][
        "application/json"
    ]["schema"]["properties"]
    spawn["project_id"] = {"anyOf": [{"enum": ["score"]}, spawn["project_id"]]}
    return document


def test_no_request_made_from_the_description_meets_a_5xx_or_an_answer_it_does_not_describe(
    tmp_path: Path,
) -> None:
    with lived_in(tmp_path / "ground") as found:
        house, place = found.house, tmp_path / "openapi.json"
        url = str(json.loads(house.run_file(address.ADDRESS).read_text())["url"])
        token = house.run_file(address.TOKEN).read_text().strip()
        place.write_text(
            json.dumps(known_to(found, house.client.document("GET", "/openapi.json", {})))
        )
        (tmp_path / "schemathesis.toml").write_text(SETTINGS)
        done = subprocess.run(
            [
                *(sys.executable, "-m", "schemathesis.cli", "--config-file", str(tmp_path / "schemathesis.toml"), "run", str(place)),
                *("--url", url, "--checks", ",".join(CHECKS), "--phases", "coverage,fuzzing"),
                *(("--max-time", str(SECONDS)) if SECONDS else ("--max-examples", str(EXAMPLES))),
                *("--warnings", "off", "--no-color", "--request-timeout", "30", "--continue-on-failure", "--generation-database", "none"),
                *("--report", "json", "--report-json-path", str(tmp_path / "report.json"), *(("--seed", SEED) if SEED else ())),
            ],
            env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "HOME": str(tmp_path), "ENNIO_TOKEN_HERE": token},
            cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS * 5 + 600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, (
            done.stdout[:12_000] + done.stdout[-1500:] + done.stderr[-2000:]
        )
        tried = json.loads((tmp_path / "report.json").read_text())
        print(f"{tried['test_cases']['generated']} requests, seed {tried['seed']}")
        assert tried["operations"]["tested"] == tried["operations"]["total"]
        assert tried["test_cases"]["generated"] > 5 * tried["operations"]["total"]
        assert house.client.get("/health") == "ok"
        assert "Traceback" not in house.log.read_text()
