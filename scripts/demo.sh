#!/usr/bin/env bash
# codemoat on a real package: index it, ask about it, complete a line in it. Each command is shown before it runs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

BIN="$PWD/.venv/bin"
TREE="${CODEMOAT_CACHE_DIR:-${XDG_CACHE_HOME:-$HOME/.cache}/codemoat}/demo/networkx"
QUESTION="Which exception does topological_sort raise if the graph contains a cycle?"

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
    say "Fetching networkx, a graph library of several hundred files, as something to ask about (unpacked, not installed)"
    original=$("$BIN/python" -m benchmarks.trees networkx)
    mkdir -p "$(dirname "$TREE")"
    cp -r "$original" "$TREE.new" && mv "$TREE.new" "$TREE"
fi
cd "$TREE"

say "1. Index the package in $TREE"
rm -f build_order.py
run codemoat index .

say "2. Ask about it; the answer comes from the model on this machine, with the places it rests on"
run codemoat ask "$QUESTION"

# A line that only makes sense with the text before it, the text after it, and a function of another file.
cat >build_order.py <<'PYTHON'
from networkx import DiGraph
from networkx.algorithms.dag import topological_sort


def build_order(dependencies):
    """Names in an order in which each comes after what it depends on."""
    graph = DiGraph(dependencies)
    order = 
    return list(reversed(order))
PYTHON

say "3. Complete line 8 of build_order.py, at its end"
printf '\n'
sed 's/^/    /' build_order.py
run codemoat complete build_order.py:8:13

say "That was all local. Try it on your own code: cd there and run $BIN/codemoat ask \"…\""
