# Fetches what GitHub publishes about itself, which tests/github is held to. Read by bin/test; uses say and run, with $root set.

published() {
    fetch_published @octokit/openapi 23.0.2 generated/api.github.com.json &&
        fetch_published @octokit/graphql-schema 15.26.1 schema.graphql &&
        fetch_published @octokit/webhooks-examples 7.6.1 api.github.com/index.json
}

# fetch_published PACKAGE VERSION FILE: only this file of the package is kept, and nothing is done when it is there.
fetch_published() {
    local name=${1#@} place work
    place=$root/.ci-cache/npm/${name//\//-}-$2
    [ -s "$place/$3" ] && return
    command -v npm >/dev/null || { say "$1 cannot be fetched: npm is missing (Debian, Ubuntu: sudo apt-get install npm)"; return 1; }
    say "fetching $1 $2 ..."
    work=$(mktemp -d)
    (cd "$work" && npm pack --silent "$1@$2" >/dev/null && tar xzf ./*.tgz) || { rm -rf "$work"; return 1; }
    mkdir -p "$(dirname "$place/$3")"
    mv "$work/package/$3" "$place/$3.new" && mv "$place/$3.new" "$place/$3"
    rm -rf "$work"
}
