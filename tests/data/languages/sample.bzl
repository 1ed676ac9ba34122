"""Rules of the shop."""

load("//shop:item.bzl", "item", renamed = "price")

LIMIT = 10

CartInfo = provider(fields = ["owner"])

def _impl(ctx):
    local = helper(ctx.attr.items)
    return [CartInfo(owner = local)]

cart = rule(
    implementation = _impl,
    attrs = {"items": attr.label_list()},
)

def helper(items, scale = LIMIT):
    def inner(x):
        return x

    return [inner(i) for i in items]

cc_library(
    name = "cart_lib",
    srcs = ["cart.cc"],
    deps = [":items"],
)
