#!/usr/bin/env fish
source ./lib.fish
set -g limit 10
set -x PATH /usr/bin $PATH
set --universal owner me

function total --description "Sums it up"
    set -l local (helper $argv[1])
    echo $local $limit
end

function helper -a x
    math $x + 1
end

alias ll "ls -l"

if status is-interactive
    function greet
        total 1
    end
end
