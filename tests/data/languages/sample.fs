module Shop.Cart

open System
open System.Collections.Generic

[<Literal>]
let Limit = 10
let mutable counter = 0

type Color =
    | Red
    | Custom of int

type Cart =
    { Items: Item list
      mutable Owner: string }

    member this.Total = List.sum this.Items
    static member Create(owner) = { Items = []; Owner = owner }

type IPriced =
    abstract member Price: int -> int

type Shape(size: int) =
    inherit Base(size)
    let scale = 2
    member val Depth = 0 with get, set
    member this.Area(x: int) =
        let local = helper x
        local * scale
    interface IPriced with
        member this.Price(x) = x

exception Empty of string

let total (cart: Cart) =
    let inner x = x * Limit
    cart.Items |> List.map inner |> List.sum

let rec even n = n = 0 || odd (n - 1)
and odd n = n <> 0 && even (n - 1)

let (<+>) a b = a + b

module Inner =
    let deep () = total (Cart.Create "x")

[<EntryPoint>]
let main argv =
    printfn "%d" (total (Cart.Create "me"))
    0
