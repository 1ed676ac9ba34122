#!/usr/bin/env bash
# codemoat on a real package: index it, ask about it, complete a line in it. Each command is shown before it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN="$PWD/.venv/bin"
TREE="${CODEMOAT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/codemoat}/demo/scrapy"
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

if [ ! -d "$TREE" ]; then
    say "Fetching Scrapy, a web crawler of almost 200 files, as something to ask about (unpacked, not installed)"
    original=$("$BIN/python" -m benchmarks.trees scrapy)
    mkdir -p "$(dirname "$TREE")"
    cp -r "$original" "$TREE.new" && mv "$TREE.new" "$TREE"
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
