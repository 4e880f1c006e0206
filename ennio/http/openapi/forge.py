"""The paths of projects, their issues and pull requests."""

from __future__ import annotations

from typing import Any

from ennio.http.openapi.operation import listed, path, ref, takes
from ennio.http.resources import issues, pull, pulls

_PROJECT = "/api/v1/projects/{project_id}"
_PULL = f"{_PROJECT}/pulls/{{number}}"

FORGE_PATHS: dict[str, Any] = {
    **path("/api/v1/projects", get=takes("List the configured projects.", listed(ref("Project")))),
    **path(_PROJECT, get=takes("Show a project.", ref("Project"))),
    **path(
        f"{_PROJECT}/issues",
        get=takes("The open issues.", listed(ref("Issue"))),
        post=takes("Add an issue, where the tracker can.", ref("Issue"), body=issues.ADD),
    ),
    **path("/api/v1/pulls", get=takes("Pull requests, open or ended lately.", listed(ref("Pull")), query=pulls.LIST)),
    **path(f"{_PROJECT}/pulls", post=takes("Open a pull request, or find the open one.", ref("Pull"), body=pulls.OPEN)),
    **path(_PULL, get=takes("Read a pull request afresh.", ref("Pull"))),
    **path(f"{_PULL}/files", get=takes("The files it changes.", ref("Files"))),
    **path(f"{_PULL}/diff", get=takes("What it changes, as text.", ref("Diff"))),
    **path(f"{_PULL}/approve", post=takes("Approve it.", ref("Pull"), body=pull.APPROVE)),
    **path(f"{_PULL}/request-changes", post=takes("Ask for changes.", ref("Pull"), body=pull.REMARK)),
    **path(f"{_PULL}/comment", post=takes("Comment on it, or on a line of it.", ref("Pull"), body=pull.REMARK)),
    **path(f"{_PULL}/reply", post=takes("Answer one of its comments.", ref("Pull"), body=pull.REPLY)),
    **path(f"{_PULL}/resolve", post=takes("Settle one of its threads.", ref("Pull"), body=pull.RESOLVE)),
    **path(f"{_PULL}/merge", post=takes("Merge it; red, or without a needed approval, only with force.", ref("Merged"), body=pull.MERGE)),
    **path(f"{_PULL}/close", post=takes("Close it without merging.", ref("Pull"), body={})),
    **path(f"{_PULL}/ready", post=takes("Take it out of draft.", ref("Pull"), body={})),
    **path(f"{_PULL}/rerun", post=takes("Run its checks again.", ref("Pull"), body={})),
}
