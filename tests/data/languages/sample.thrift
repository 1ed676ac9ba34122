namespace py shop.cart
include "item.thrift"

typedef i64 Price

const i32 LIMIT = 10

enum State {
  OPEN = 1,
  CLOSED = 2
}

struct Cart {
  1: required string owner,
  2: optional list<item.Item> items,
  3: State state = State.OPEN
}

union Payer {
  1: string token
}

exception Empty {
  1: string reason
}

service Shop extends Base {
  Price total(1: Cart cart) throws (1: Empty e),
  oneway void clear()
}
