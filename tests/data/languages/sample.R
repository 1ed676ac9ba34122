library(dplyr)
require("stats")
source("helpers.R")

limit <- 10
MAX_ROWS = 5L
counter <<- 0

#' Totals a cart.
total <- function(cart, na.rm = TRUE) {
  scale <- 2
  inner <- function(x) x * scale
  sum(inner(cart$prices))
}

print.cart <- function(x, ...) {
  cat(total(x))
  invisible(x)
}

`%+%` <- function(a, b) paste0(a, b)

double = \(x) x * 2

setClass("Shape", representation(name = "character"))

setGeneric("area", function(shape) standardGeneric("area"))

setMethod("area", "Shape", function(shape) {
  dplyr::filter(shape, helper(limit))
})

Stack <- R6Class("Stack",
  public = list(
    items = NULL,
    push = function(x) {
      self$items <- c(self$items, x)
    },
    size = function() length(self$items)
  )
)

Account <- setRefClass("Account",
  fields = list(balance = "numeric"),
  methods = list(
    deposit = function(x) {
      balance <<- balance + x
    }
  )
)
