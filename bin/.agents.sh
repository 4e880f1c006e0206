# Installs the real agents that tests/agents runs, into a cache outside of the tree. Read by bin/test; uses say and run.
#
#   $ENNIO_AGENTS          where they are (default ~/.cache/ennio/agents); their commands lie in bin/ there
#   $ENNIO_AGENTS_BUDGET   seconds an installation may take under CI (default 300)

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
    local place=$ENNIO_AGENTS/$1-${2##*==} python
    if [ ! -f "$place/complete" ]; then
        python=$(command -v python3.12 || command -v python3.11 || command -v python3) || { say "$1 cannot be installed: python3 is missing"; return 1; }
        say "installing $2 into $ENNIO_AGENTS ..."
        rm -rf "$place"
        "$python" -m venv "$place" && "$place/bin/python" -m pip --disable-pip-version-check --no-input --quiet install "$2" >&2 || return 1
        touch "$place/complete"
    fi
    ln -sfn "$place/bin/$1" "$ENNIO_AGENTS/bin/$1"
}

install_agents() {
    mkdir -p "$ENNIO_AGENTS/bin" || return 1
    npm_agent claude @anthropic-ai/claude-code-linux-x64@2.1.329 node_modules/@anthropic-ai/claude-code-linux-x64/claude &&
        npm_agent codex @openai/codex@0.169.0 node_modules/.bin/codex &&
        npm_agent opencode opencode-ai@1.18.33 node_modules/.bin/opencode &&
        pip_agent aider aider-chat==0.86.2
}

# Under CI the agents belong to everything, as long as they are cached or come in time; if not, that is said and they are left out.
agents_for_ci() {
    local budget=${ENNIO_AGENTS_BUDGET:-300}
    export ENNIO_AGENTS
    if timeout "$budget" bash -c "$(declare -f say npm_agent pip_agent install_agents); install_agents"; then
        say "the real agents are tested too (from $ENNIO_AGENTS)"
    else
        say "the real agents are NOT tested: they could not be installed within $budget s"
        unset ENNIO_AGENTS
    fi
}
