%% A shop.
-module(cart).
-behaviour(gen_server).
-export([add/2, total/1]).
-include("shop.hrl").
-include_lib("kernel/include/file.hrl").
-import(lists, [map/2, sum/1]).

-define(LIMIT, 10).
-define(DOUBLE(X), (X) * 2).

-record(cart, {items = [] :: list(), owner}).

-type price() :: integer().
-opaque state() :: #cart{}.
-callback priced(term()) -> price().

-spec add(term(), #cart{}) -> #cart{}.
add(Item, Cart = #cart{items = Items}) ->
    helper(Cart),
    Cart#cart{items = [Item | Items]}.

total(#cart{items = []}) -> 0;
total(#cart{items = Items}) ->
    lists:sum(map(fun price/1, Items)) + ?LIMIT.

price(X) when X > 0 -> ?DOUBLE(X);
price(_) -> 0.

helper(Cart) ->
    Fun = fun(Y) -> Y end,
    io:format("~p", [Fun(Cart)]).
