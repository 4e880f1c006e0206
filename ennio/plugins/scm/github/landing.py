"""How a pull request is merged on GitHub: directly, by its merge queue, or by itself once its requirements are met."""

from __future__ import annotations

from ennio.errors import Conflict, Refused
from ennio.plugins.github.client import Client
from ennio.plugins.scm.github.questions import AUTO_MERGE, ENQUEUE
from ennio.plugins.scm.github.reading import Node
from ennio.plugins.scm.github.settings import Settings
from ennio.plugins.scm.interface import Merged
from ennio.pulls import Mergeability, MergeMethod, PullRequest, PullState

_ALLOWED = {
    MergeMethod.SQUASH: "allow_squash_merge",
    MergeMethod.MERGE: "allow_merge_commit",
    MergeMethod.REBASE: "allow_rebase_merge",
}


def land(client: Client, settings: Settings, node: Node, seen: PullRequest, expected_head: str, method: MergeMethod | None) -> Merged:
    """Merge it with the expected head. ``Merged.commit`` is empty when GitHub was told to do it later."""
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
    return _directly(client, node, expected_head, chosen(client, settings, method))


def _directly(client: Client, node: Node, head: str, method: MergeMethod) -> Merged:
    number = node["number"]
    try:
        done = client.send("PUT", client.address.at("pulls", number, "merge"), {"sha": head, "merge_method": method.value})
    except Conflict:
        if not node["viewerCanEnableAutoMerge"]:
            raise
        values = {"pull": node["id"], "head": head, "method": method.name}
        client.ask(AUTO_MERGE, values, action=True)
        return Merged("", f"GitHub merges #{number} once what the branch requires is there (auto-merge)")
    return Merged(done["sha"], done["message"])


def chosen(client: Client, settings: Settings, method: MergeMethod | None) -> MergeMethod:
    """The method asked for, else the configured one, else the first the repository allows. Raises Refused naming those."""
    repository = client.get(client.address.at())
    # only who may push is told which are allowed
    allowed = [each for each, key in _ALLOWED.items() if repository.get(key, True)]
    wanted = method or settings.merge_method or (allowed[0] if allowed else MergeMethod.SQUASH)
    if wanted not in allowed:
        raise Refused(f"{client.address} does not allow to merge by {wanted}; allowed: {', '.join(allowed) or 'nothing'}")
    return wanted
