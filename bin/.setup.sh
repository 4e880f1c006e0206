# Makes .venv, or brings it up to date. Read by the commands beside it, with $root set; all words go to stderr.
#
# What makes an interrupted set-up harmless: the stamp is the last thing written, and the first thing removed.

say() { echo "ennio: $*" >&2; }

fingerprint() {
    for file in "$root/setup.cfg" "$root/pyproject.toml" "$root/requirements.lock"; do
        [ ! -e "$file" ] || cksum <"$file"
    done | cksum
}

is_current() {
    [ -x "$venv/bin/python" ] && [ -f "$venv/stamp" ] && { read -r place && read -r print; } <"$venv/stamp" &&
        [ "$place" = "$root" ] && [ "$print" = "$(fingerprint)" ] && "$venv/bin/python" -c '' 2>/dev/null
}

find_python() {
    for name in "${ENNIO_PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        if "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            # the interpreter itself, not a shim in front of it
            "$name" -c 'import sys; print(sys.executable)'
            return
        fi
    done
    say "Python 3.11 or newer is needed and none was found (looked for python3, python3.14 ... python3.11)."
    say "Install it (Debian, Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python)"
    say "or name one: ENNIO_PYTHON=/path/to/python3.12 ennio ..."
    return 1
}

# One set-up at a time: whoever makes the folder holds it, and a dead holder's is taken over.
lock() {
    waiting='' nameless=0
    until mkdir "$venv.lock" 2>/dev/null; do
        holder=$(cat "$venv.lock/pid" 2>/dev/null) || holder=
        nameless=$([ -n "$holder" ] && echo 0 || echo $((nameless + 1)))
        if [ "$nameless" -gt 5 ] || { [ -n "$holder" ] && ! kill -0 "$holder" 2>/dev/null; }; then
            # rename is atomic: of several who notice, one takes it away
            mv "$venv.lock" "$venv.lock.$$" 2>/dev/null && rm -rf "$venv.lock.$$"
            continue
        fi
        if [ ! -d "$venv.lock" ] && [ ! -w "$root" ]; then
            say "$root cannot be written to, and .venv belongs there"
            return 1
        fi
        [ -n "$waiting" ] || say "another command is setting up; waiting for it ..."
        waiting=yes
        sleep 1
    done
    echo $$ >"$venv.lock/pid"
    trap 'rm -rf "$venv.lock"' EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
}

unlock() {
    rm -rf "$venv.lock"
    trap - EXIT INT TERM HUP
}

run() { # a step, its output only shown when it fails
    if ! "$@" >"$venv.log" 2>&1; then
        tail -n 20 "$venv.log" >&2
        say "set-up failed at: $*"
        say "the whole output is in $venv.log; the next call tries again"
        return 1
    fi
}

build() {
    if [ ! -x "$venv/bin/python" ] || [ ! -f "$venv/stamp" ] || ! "$venv/bin/python" -c '' 2>/dev/null; then
        python=$(find_python) || return 1
        say "first use: making $venv with $python ..."
        rm -rf "$venv"
        if ! run "$python" -m venv "$venv"; then
            say "where Python came from a distribution's package, its venv module is one of its own: sudo apt-get install python3-venv"
            return 1
        fi
    fi
    rm -f "$venv/stamp"
    say "installing what it needs (a minute or two) ..."
    set -- "$venv/bin/python" -m pip --disable-pip-version-check --no-input install
    [ ! -e "$root/requirements.lock" ] || run "$@" -r "$root/requirements.lock" || return 1
    run "$@" --editable "$root" --config-settings editable_mode=compat || return 1
    { echo "$root" && fingerprint; } >"$venv/stamp.new" && mv "$venv/stamp.new" "$venv/stamp"
    rm -f "$venv.log"
    say "ready."
}

set_up() {
    lock || return 1
    # somebody else may have done it while we waited; a file that only got a new date needs nothing but a new stamp
    if is_current; then touch "$venv/stamp"; else build || return 1; fi
    unlock
}
