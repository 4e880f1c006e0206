# Installs the real agents that tests/agents runs, into a cache outside of the tree. Read by bin/test and tests/shards; uses say.
#
#   $ENNIO_AGENTS          where they are (default ~/.cache/ennio/agents); their commands lie in bin/ there

ENNIO_AGENTS=${ENNIO_AGENTS:-$HOME/.cache/ennio/agents}

# npm_agent COMMAND PACKAGE@VERSION PATH-OF-THE-PROGRAM-IN-IT: nothing is done when this very version is there.
npm_agent() {
    local place=$ENNIO_AGENTS/$1-${2##*@}
    if [ ! -x "$place/$3" ]; then
        command -v npm >/dev/null || { say "$1 cannot be installed: npm is missing (Debian, Ubuntu: sudo apt-get install npm)"; return 1; }
        say "installing $2 into $ENNIO_AGENTS ..."
        rm -rf "$place" "$place.new"
        npm install --prefix "$place.new" --no-audit --no-fund --loglevel=error "$2" >&2 || return 1
        mv "$place.new" "$place"
    fi
    ln -sfn "$place/$3" "$ENNIO_AGENTS/bin/$1"
}

# pip_agent COMMAND PACKAGE==VERSION: likewise, in a virtualenv of its own; aider does not run on every Python.
pip_agent() {
    local place=$ENNIO_AGENTS/$1-${2##*==} python name
    if [ ! -f "$place/complete" ]; then
        for name in python3.12 python3.11 python3; do # one that starts: pyenv leaves commands that only say what is missing
            python=$(command -v "$name") && "$python" -c '' 2>/dev/null && break
            python=
        done
        [ -n "$python" ] || { say "$1 cannot be installed: python3 is missing"; return 1; }
        say "installing $2 into $ENNIO_AGENTS ..."
        rm -rf "$place"
        "$python" -m venv "$place" && "$place/bin/python" -m pip --disable-pip-version-check --no-input --quiet install "$2" >&2 || return 1
        touch "$place/complete"
    fi
    ln -sfn "$place/bin/$1" "$ENNIO_AGENTS/bin/$1"
}

# One installation at a time: two that fill one cache would take each other's halves away.
install_agents() (
    mkdir -p "$ENNIO_AGENTS/bin" || return 1
    exec 9>"$ENNIO_AGENTS/lock" || return 1
    ! command -v flock >/dev/null || flock 9
    npm_agent claude @anthropic-ai/claude-code-linux-x64@2.1.329 node_modules/@anthropic-ai/claude-code-linux-x64/claude &&
        npm_agent codex @openai/codex@0.169.0 node_modules/.bin/codex &&
        npm_agent opencode opencode-ai@1.18.33 node_modules/.bin/opencode &&
        pip_agent aider aider-chat==0.86.2
)
