"""Who looks at the machines on which agents work: the same for each, and nobody at two."""

from __future__ import annotations

from typing import Any

from ennio.actors.adopter import AdopterActor
from ennio.actors.dependencies import Dependencies
from ennio.actors.host_poller import AgentPoller, RuntimePoller
from ennio.actors.news import NewsActor
from ennio.actors.registry import adopter_name, agents_name, news_name, runtime_name
from ennio.actors.root import Start
from ennio.plugins.registry import installed


def lookers(deps: Dependencies) -> list[tuple[str, Start]]:
    """Those of every host. They ask a host for nothing while no session is on it; but whom the
    database does not know is looked for on each other host once.
    """

    def simple(kind: Any, *args: Any) -> Start:
        return lambda name, watcher: kind.start(deps, name, watcher, *args)

    children: list[tuple[str, Start]] = []
    runtimes = _runtimes(deps)
    for host in deps.hosts:
        on = host.name
        looking = {runtime_name(one, on): simple(RuntimePoller, one, host) for one in runtimes}
        looking[agents_name(on)] = simple(AgentPoller, host)
        children += looking.items()
        children.append((news_name(on), simple(NewsActor, host, tuple(looking))))
        if on:
            children.append((adopter_name(on), simple(AdopterActor, host)))
    return children


def _runtimes(deps: Dependencies) -> list[str]:
    """Every runtime a session may be in: those configured, those a spawn may
    name, those in the store.
    """
    named = {project.runtime for project in deps.config.projects}
    stored = {
        session.runtime_name for session in deps.store.sessions.list() if session.runtime_name
    }
    shipped = {"tmux", "process"}
    return sorted((named | stored | shipped) & set(installed("runtime")))
