"""How a pull request is merged on GitHub: directly, by its merge queue, or by itself once
its requirements are met.
"""

from __future__ import annotations

from ennio.model.errors import Conflict, Refused
from ennio.model.failpoints import asks
from ennio.model.pulls import Mergeability, MergeMethod, PullRequest, PullState
from ennio.plugins.forge.github.graphql import AUTO_MERGE, ENQUEUE
from ennio.plugins.forge.github.merge_blockers import Blocker, of_state, of_words
from ennio.plugins.forge.github.parsing import Node
from ennio.plugins.forge.github.settings import GitHubForgeSettings
from ennio.plugins.forge.interface import Merged
from ennio.plugins.github.client import GitHubClient
from ennio.policy.merging import Held, Remedy, Superseded

_ALLOWED = {
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.MERGE: "allow_merge_commit",
    MergeMethod.REBASE: "allow_rebase_merge",
}


def merge(
    client: GitHubClient,
    settings: GitHubForgeSettings,
    node: Node,
    seen: PullRequest,
    expected_head: str,
    method: MergeMethod | None,
) -> Merged:
    """Merge it with the expected head. ``Merged.commit`` is empty when GitHub
    was told to do it later.

    Raises Held with what mends it where GitHub does not merge it now, Superseded
    when its head has moved.
    """
    name = f"#{seen.number}"
    if seen.head != expected_head:
        raise Conflict(f"the head of {name} is {seen.head[:10]}, expected was {expected_head[:10]}")
    if seen.state is PullState.MERGED:
        return Merged(seen.merge_commit or "", "it was merged already")
    if seen.state is PullState.CLOSED or seen.draft:
        raise Refused(f"{name} is {'closed' if seen.state is PullState.CLOSED else 'a draft'}")
    if seen.mergeability is Mergeability.CONFLICTING:
        files = f" in {', '.join(seen.conflicts)}" if seen.conflicts else ""
        raise Conflict(f"{name} conflicts with {seen.base}{files}")
    if node["isInMergeQueue"] or node["autoMergeRequest"]:
        return Merged("", f"GitHub has been told to merge {name} already")
    if node["isMergeQueueEnabled"]:
        client.ask(ENQUEUE, {"pull": node["id"], "head": expected_head}, action=True)
        return Merged("", f"{name} is in the merge queue of {seen.base}")
    blocker = of_state(node["mergeStateStatus"])
    if blocker is not None and (blocker.remedy is Remedy.UPDATE or _is_only_by_force(node)):
        return _blocked(
            client,
            settings,
            node,
            blocker,
            expected_head,
            method,
            f"GitHub says that {name} is {blocker.kind}",
        )
    return _directly(client, settings, node, expected_head, method)


def _is_only_by_force(node: Node) -> bool:
    """The rules of its base are not met, and GitHub would merge it all the same
    because of whose token it is.
    """
    return node["mergeStateStatus"] == "BLOCKED" and bool(node["viewerCanMergeAsAdmin"])


@asks("put.pulls.merge")
def _directly(
    client: GitHubClient,
    settings: GitHubForgeSettings,
    node: Node,
    head: str,
    method: MergeMethod | None,
) -> Merged:
    how = {"sha": head, "merge_method": chosen(client, settings, method).value}
    try:
        done = client.send("PUT", client.address.at("pulls", node["number"], "merge"), how)
    except Conflict as error:
        if "head branch was modified" in str(error).lower():
            raise Superseded(str(error)) from error
        return _blocked(client, settings, node, of_words(str(error)), head, method, str(error))
    return Merged(done["sha"], done["message"])


def _blocked(
    client: GitHubClient,
    settings: GitHubForgeSettings,
    node: Node,
    blocker: Blocker,
    head: str,
    method: MergeMethod | None,
    said: str,
) -> Merged:
    """Do what mends it, where that is ours to do. Raises Held with the
    reason and what else does.
    """
    if blocker.remedy is Remedy.UPDATE:
        raise _updated(client, node, head) if settings.update_branch else _left_behind(node)
    if blocker.auto and node["viewerCanEnableAutoMerge"]:
        return _by_itself(client, node, head, chosen(client, settings, method))
    raise Held(
        f"{said}{f'; {blocker.advice}' if blocker.advice else ''}", blocker.remedy, blocker.kind
    )


def _by_itself(client: GitHubClient, node: Node, head: str, method: MergeMethod) -> Merged:
    try:
        client.ask(
            AUTO_MERGE, {"pull": node["id"], "head": head, "method": method.name}, action=True
        )
    except Refused as error:
        # what it required may be there by now: then there is nothing left to wait for
        raise Held(
            f"GitHub did not take #{node['number']} for auto-merge: {error}",
            Remedy.AGAIN,
            "auto-merge refused",
        ) from error
    return Merged(
        "", f"GitHub merges #{node['number']} once what the branch requires is there (auto-merge)"
    )


@asks(
    "put.pulls.update-branch",
    because="no base of a story wants its pull requests up to date: the tests of merge blockers",
)
def _updated(client: GitHubClient, node: Node, head: str) -> Held:
    number, base = node["number"], node["baseRefName"]
    client.send(
        "PUT", client.address.at("pulls", number, "update-branch"), {"expected_head_sha": head}
    )
    return Held(
        f"GitHub was asked to bring #{number} up to date with {base}; its new head is judged anew",
        Remedy.WAIT,
        "behind",
    )


def _left_behind(node: Node) -> Held:
    number, base = node["number"], node["baseRefName"]
    way_out = "bring its branch up to date, or set update_branch: true in scm_config.config"
    return Held(
        f"#{number} is behind {base}, which wants it up to date: {way_out}", Remedy.PERSON, "behind"
    )


@asks("get.repository")
def chosen(
    client: GitHubClient, settings: GitHubForgeSettings, method: MergeMethod | None
) -> MergeMethod:
    """The method asked for, else the configured one, else the first the repository allows.
    Raises Refused naming those.
    """
    repository = client.get(client.address.at())
    # only who may push is told which are allowed
    allowed = [each for each, key in _ALLOWED.items() if repository.get(key, True)]
    wanted = method or settings.merge_method or (allowed[0] if allowed else MergeMethod.SQUASH)
    if wanted not in allowed:
        raise Refused(
            f"{client.address} does not allow to merge by {wanted}; allowed: "
            f"{', '.join(allowed) or 'nothing'}"
        )
    return wanted
