import std/[strutils, tables]
import shop/item as it
from math import sqrt
include helpers

const
  limit* = 10
  name = "shop"
let counter = 0
var owner*: string

type
  Color* = enum
    red, green

  Cart* = ref object of RootObj
    items*: seq[Item]
    size: int

  Price = distinct int

proc helper(x: int): int =
  x + limit

proc total*(self: Cart, scale = 1): int {.inline.} =
  ## Sums it up.
  let local = helper(scale)
  proc inner(y: int): int = y * 2
  result = inner(local) * self.items.len

func `+`(a, b: Price): Price = a

method draw(c: Cart) {.base.} = discard

iterator each(c: Cart): Item =
  for i in c.items: yield i

template twice(body: untyped) =
  body
  body

macro build(x: untyped): untyped = x

when isMainModule:
  echo total(Cart())
