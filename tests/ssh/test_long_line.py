"""Fifty sessions at the end of a long line: they are looked at in as many ways there and back as one,
and in its time.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ennio.hosts.elsewhere import FarHost, home_on
from ennio.hosts.observation import Wanted
from ennio.model.clock import SystemClock
from ennio.model.facts import Presence
from tests.conftest import eventually
from tests.contract.host_stage import Stand, stage_at
from tests.ssh.bench import machine_of
from tests.ssh.relay import line_to

LONG = 0.1
"""Seconds that a byte is on its way, each way."""
MOST = 2
"""Ways of a look at all of them where they rest: the survey, and then panes with files."""
BUSY = 2.0
"""Seconds for all that is no way, on a machine that is busy."""
NAMES = [f"many-{number}" for number in range(50)]
SLEEPERS = """
socket=$1; shift
for name do
 pane=$(tmux -L "$socket" -f /dev/null new-session -dP -F '#{pane_id}' -s "$name" 'exec sleep 600')
 tmux -L "$socket" set-option -t "=$name:" @ennio_number 1 \\; \
  set-option -t "=$name:" @ennio_pane "$pane"
done
"""


def test_many_sessions_are_seen_in_the_ways_and_the_time_of_one() -> None:
    with stage_at("over ssh", "tmux and worktree") as stage:
        assert stage.server is not None
        server, there = stage.server
        brief = replace(Stand(stage).brief, path=str(stage.root / "score"))
        briefs = {name: replace(brief, session_id=name, branch=f"work/{name}") for name in NAMES}
        with line_to(server.port) as line:
            known = server.folder / f"known-{line.port}"
            known.write_text(server.known_host.replace(f":{server.port} ", f":{line.port} "))
            far = machine_of(server, there, port=line.port, known_hosts=known)
            host = FarHost("there", far, SystemClock(), "contract")
            socket = home_on(far).tmux_socket_of("contract")
            stage.run("sh", "-c", SLEEPERS, "sh", socket, *NAMES)
            cursors = dict[str, Mapping[str, str]]()

            def look(at: Sequence[str]) -> tuple[int, float]:
                before, begun = far.count.questions, time.monotonic()
                told = host.survey("tmux", dict.fromkeys(at))
                seen = {told.processes[name].presence for name in at}
                assert seen == {Presence.ALIVE}, "each of them, by one look"
                wanted = [Wanted(briefs[name], cursors.get(name, {}), screen=True) for name in at]
                for name, read in host.observe(wanted).items():
                    cursors[name] = read.cursor
                return far.count.questions - before, time.monotonic() - begun

            try:
                eventually(lambda: look(NAMES)[0] <= MOST, why="they rest")
                line.delay = LONG
                (many, took), (one, _) = look(NAMES), look(NAMES[:1])
                assert many == one <= MOST
                assert took < many * 2 * LONG + BUSY, "before the next look is due"
                print(f"50 sessions at 200 ms: {many} ways, {took:.2f} s")
            finally:
                far.close()
