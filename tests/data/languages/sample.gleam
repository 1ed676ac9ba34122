import gleam/io
import shop/item.{type Item, price}

pub const limit = 10

pub type Cart {
  Cart(items: List(Item), owner: String)
  Empty
}

pub type Alias =
  List(Int)

pub fn total(cart: Cart) -> Int {
  let local = helper(cart)
  case cart {
    Empty -> 0
    Cart(items, _) -> price(items) + limit
  }
}

fn helper(x) {
  io.println("x")
  x
}

@external(erlang, "shop", "now")
pub fn now() -> Int
