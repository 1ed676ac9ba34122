; Every form is a call; the word at its head tells what it defines.
((call target: (identifier) @_head (arguments . (alias) @name) (do_block) @body) @definition.module
  (#eq? @_head "defmodule"))
((call target: (identifier) @_head (arguments . (alias) @name) (do_block) @body) @definition.interface
  (#eq? @_head "defprotocol"))
((call
  target: (identifier) @_head
  (arguments (keywords (pair key: (keyword) @_for value: (alias) @name)))
  (do_block)) @scope
  (#eq? @_head "defimpl") (#match? @_for "^for:"))
((call target: (identifier) @_head (arguments . (alias) @name .) (do_block)) @scope
  (#eq? @_head "defimpl"))
((call
  target: (identifier) @_head
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
  ])
  (do_block)? @body) @clause.function
  (#any-of? @_head "def" "defp" "defdelegate" "defn" "defnp"))
((call target: (identifier) @_head (arguments . (binary_operator operator: _ @name.whole)) (do_block)? @body) @clause.function
  (#any-of? @_head "def" "defp") (#not-eq? @name.whole "when"))
((call
  target: (identifier) @_head
  (arguments . [
    (identifier) @name
    (call target: (identifier) @name)
    (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "when")
  ])
  (do_block)? @body) @clause.macro
  (#any-of? @_head "defmacro" "defmacrop" "defguard" "defguardp"))
((call
  target: (identifier) @_head
  (arguments [
    (keywords (pair key: (keyword) @name) @definition.field)
    (list (keywords (pair key: (keyword) @name) @definition.field))
    (list (atom) @name @definition.field)
  ]))
  (#any-of? @_head "defstruct" "defexception"))
((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @_head
    (arguments (binary_operator left: [(identifier) @name (call target: (identifier) @name)] operator: "::")))) @definition.type
  (#any-of? @_head "type" "typep" "opaque"))
((unary_operator
  operator: "@"
  operand: (call
    target: (identifier) @_head
    (arguments (binary_operator left: (call target: (identifier) @name) operator: "::")))) @definition.method
  (#any-of? @_head "callback" "macrocallback"))
((unary_operator operator: "@" operand: (call target: (identifier) @name (arguments))) @definition.constant
  (#not-match? @name "^(after_compile|before_compile|behaviour|callback|compile|default|deprecated|derive|describetag|dialyzer|doc|enforce_keys|external_resource|impl|macrocallback|moduledoc|moduletag|on_load|opaque|optional_callbacks|since|spec|tag|type|typedoc|typep)$"))

((call target: (identifier) @_head (arguments . (alias) @import))
  (#any-of? @_head "alias" "import" "require" "use"))
((call target: (identifier) @_head (arguments . (dot left: (alias) @import)))
  (#any-of? @_head "alias" "import" "require" "use"))
((call target: (identifier) @_head (arguments . (alias) @reference.import .))
  (#any-of? @_head "import"))

((call target: (identifier) @reference.call)
  (#not-match? @reference.call "^(alias|callback|case|cond|def|defdelegate|defexception|defguard|defguardp|defimpl|defmacro|defmacrop|defmodule|defp|defprotocol|defstruct|describe|for|if|import|quote|raise|receive|require|spec|test|try|type|typep|doc|moduledoc|unless|unquote|use|when|with)$"))
(call target: (dot right: (identifier) @reference.member))
(alias) @reference.path
(identifier) @reference.name
