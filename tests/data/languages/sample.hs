{-# LANGUAGE GADTs #-}
module Shop.Cart (Cart (..), total, (<+>)) where

import qualified Data.Map.Strict as Map
import Data.List (sortBy, foldl')

-- | What a customer is about to buy.
data Cart = Cart
  { cartLines :: [Line]
  , cartOwner, cartPayer :: !Customer
  } deriving (Show, Eq)

data Shape where
  Circle :: Double -> Shape
  Square :: Double -> Shape

data Color = Red | Green | Custom Int

newtype Price = Price { cents :: Int }

type Line = (String, Int)

type family Elem c
type instance Elem [e] = e

class Monoid a => Priced a where
  price :: a -> Price
  price _ = Price 0
  discount, rebate :: a -> Int

instance Priced Cart where
  price cart = total cart
  discount _ = helper 3

limit :: Int
limit = 10

total :: Cart -> Price
total (Cart [] _ _) = Price 0
total cart
  | null items = Price 0
  | otherwise = go items
  where
    items = cartLines cart
    go (x : xs) = foldl' plus (Price 0) xs

(<+>) :: Price -> Price -> Price
Price a <+> Price b = Price (a + b)

helper x' = x' * limit

main :: IO ()
main = do
  let cart = Map.empty
  print (total cart)
