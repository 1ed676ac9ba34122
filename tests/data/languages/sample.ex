defmodule Shop.Cart do
  @moduledoc "What a customer is about to buy."
  use GenServer
  alias Shop.{Item, Price}
  import Enum, only: [map: 2]
  require Logger

  @limit 10
  @type t :: %__MODULE__{items: [Item.t()]}
  @callback priced(t) :: integer

  defstruct items: [], owner: nil

  @doc "Adds an item."
  @spec add(t, Item.t()) :: t
  def add(cart, item) when is_map(cart) do
    helper(cart)
    %{cart | items: [item | cart.items]}
  end

  def total(%{items: []}), do: 0

  def total(cart) do
    cart.items |> map(&Price.of/1) |> Enum.sum()
  end

  def empty?(cart), do: cart.items == []

  defp helper(cart), do: Logger.info(inspect(cart))

  defmacro trace(block) do
    quote do: unquote(block)
  end

  def left <> right, do: {left, right}

  defguard is_big(x) when x > @limit

  defdelegate size(list), to: Enum, as: :count

  defmodule Empty do
    defexception [:message]

    def message(_), do: "empty"
  end
end

defprotocol Priced do
  @doc "Price in cents."
  def cents(thing)
end

defimpl Priced, for: Shop.Cart do
  def cents(cart), do: Shop.Cart.total(cart)
end
