module Shop.Cart exposing (Cart, total)

import Html exposing (Html, div, text)
import Dict as D

type alias Cart =
    { items : List Item
    , owner : String
    }

type Color
    = Red
    | Custom Int

type alias Item = { price : Int }

limit : Int
limit =
    10

{-| Sums it up. -}
total : Cart -> Int
total cart =
    let
        scale x =
            x * limit
    in
    List.sum (List.map (.price >> scale) cart.items)

view cart =
    div [] [ text (String.fromInt (total cart)) ]

infix right 5 (<+>) = plus

port save : String -> Cmd msg
