module Shop

using LinearAlgebra
using Base.Iterators: flatten, take
import JSON, Dates.now
include("helpers.jl")

export Cart, total

const LIMIT = 10
const registry = Dict{String,Int}()
global counter = 0

abstract type Priced end
primitive type Bits8 8 end

"A cart."
mutable struct Cart{T} <: Priced
    items::Vector{T}
    const owner::String
    size

    function Cart{T}(owner) where {T}
        new{T}(T[], owner, 0)
    end
end

struct Point
    x::Float64
    y::Float64
    Point(x) = new(x, x)
end

@enum Color red green

total(cart::Cart) = sum(price, cart.items)

function add!(cart::Cart{T}, item::T; count=1)::Cart where {T}
    inner(x) = x + counter
    function nested(y)
        y
    end
    push!(cart.items, item)
    return helper(cart)
end

Base.length(cart::Cart) = length(cart.items)

function Base.show(io::IO, cart::Cart)
    print(io, cart.owner)
end

a ⊕ b = total(a) + total(b)

macro twice(ex)
    quote
        $(esc(ex))
    end
end

function placeholder end

@inline fast(x) = x

module Inner
    deep(x) = LIMIT
end

end
