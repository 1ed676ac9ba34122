(ns shop.cart
  "What a customer is about to buy."
  (:require [clojure.string :as str]
            [shop.item :refer [price helper]]
            shop.util)
  (:import (java.util Date UUID)))

(def limit 10)
(def ^:private ^String owner "me")
(defonce registry (atom {}))
(declare later)

(defn total
  "Sums it up."
  ([cart] (total cart 0))
  ([cart start]
   (let [local (helper start)]
     (reduce + local (map price (:items cart))))))

(defn- ->cents [x] (* 100 x))

(defn ^:deprecated empty?! [cart] (zero? (count cart)))

(defmacro unless [test & body]
  `(when-not ~test ~@body))

(defmulti area :kind)

(defmethod area :circle [shape] (* limit (:r shape)))
(defmethod area :square [shape] (:side shape))

(defprotocol Priced
  "Has a price."
  (cents [this] "In cents.")
  (discount [this pct]))

(defrecord Cart [items owner]
  Priced
  (cents [this] (total this))
  (discount [this pct] pct))

(deftype Box [value]
  Object
  (toString [_] (str/join "," value)))

(extend-type String
  Priced
  (cents [s] (count s)))

(deftest totals-nothing
  (is (= 0 (total {}))))

(comment
  (def scratch 1))
