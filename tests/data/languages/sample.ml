open Printf
module M = Map.Make (String)

type color = Red | Green | Custom of int

type 'a cart = {
  items : 'a list;
  mutable size : int;
}

and price = int

exception Empty of string

external now : unit -> float = "caml_now"

let limit = 10
let counter, other = (ref 0, 1)

(** Sums it up. *)
let total cart =
  let scale = 2 in
  let inner x = x * scale in
  List.fold_left (fun acc x -> acc + inner x) 0 cart.items

let rec even n = n = 0 || odd (n - 1)
and odd n = n <> 0 && even (n - 1)

let add' = fun x y -> x + y

let ( <+> ) a b = a ^ b

module type PRICED = sig
  type t
  val price : t -> int
end

module Store = struct
  type t = { name : string }

  let create name = { name }

  module Inner = struct
    let deep () = limit
  end
end

module Make (P : PRICED) = struct
  let priced p = P.price p
end

class virtual shape (n : int) =
  object (self)
    val mutable scale = n
    method area = scale * helper scale
    method virtual name : string
  end

class type drawable = object
  method draw : unit
end

let () = printf "%d" (total (Store.create "x"))
