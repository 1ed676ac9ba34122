#!/usr/bin/env bash
source ./lib.sh
. "$HOME/.common"

LIMIT=10
export MODE="test"
readonly NAMES=(a b)

# Greets.
greet() {
  local name="$1"
  echo "hi $name $LIMIT"
  helper "$name" | sort
}

function helper {
  [[ -n "$1" ]] && greet_all "$(count_rows "$1")"
}

greet "$@"
