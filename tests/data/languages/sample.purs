module Shop.Cart where

import Prelude
import Data.Array (foldl, length) as A

data Color = Red | Custom Int

newtype Price = Price Int

type Cart = { items :: Array Item, owner :: String }

class Priced a where
  price :: a -> Price

instance pricedInt :: Priced Int where
  price x = Price x

limit :: Int
limit = 10

total :: Cart -> Int
total cart = scale (A.length cart.items)
  where
    scale n = n * limit

helper x = total x

foreign import now :: Int -> Int
