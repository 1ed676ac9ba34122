(** A shop. *)

open Base

type color = Red | Green

type 'a cart = {
  items : 'a list;
  size : int;
}

exception Empty of string

val limit : int

val total : 'a cart -> price:('a -> int) -> int

val ( <+> ) : string -> string -> string

external now : unit -> float = "caml_now"

module type PRICED = sig
  type t
  val price : t -> int
end

module Make (P : PRICED) : sig
  val priced : P.t -> int
end

class shape : int -> object
  method area : int
end

class type drawable = object
  method draw : unit
end
