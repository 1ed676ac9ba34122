; Dots are part of a name.
(binary_operator lhs: [(identifier) (string)] @name.whole operator: ["<-" "<<-" "="] rhs: (function_definition)) @definition.function
(program (binary_operator lhs: (identifier) @name.whole operator: ["<-" "<<-" "="]) @definition.variable)
((binary_operator lhs: (identifier) @name.whole rhs: (call function: (_) @_class)) @definition.class
  (#match? @_class "^(R6::)?R6Class$|^(methods::)?setRefClass$|^(R6::)?ggproto$"))
((argument
  name: (identifier) @_part
  value: (call
    function: (identifier) @_list
    arguments: (arguments (argument name: (identifier) @name.whole value: (_)) @definition.field)))
  (#any-of? @_part "public" "private" "active" "methods" "fields") (#any-of? @_list "list" "c"))
((argument
  name: (identifier) @_part
  value: (call
    function: (identifier) @_list
    arguments: (arguments
      (argument name: (identifier) @name.whole value: (function_definition body: (_))) @definition.function)))
  (#any-of? @_part "public" "private" "active" "methods") (#eq? @_list "list"))
((call function: (identifier) @_head arguments: (arguments . (argument value: (string) @name.whole) . (_))) @definition.class
  (#eq? @_head "setClass"))
((call function: (identifier) @_head arguments: (arguments . (argument value: (string) @name.whole))) @definition.function
  (#eq? @_head "setGeneric"))
((call
  function: (identifier) @_head
  arguments: (arguments
    . (argument value: (string) @name.whole) .
    (comma) .
    (argument value: [
      (string) @parent
      (call function: (identifier) @_signature arguments: (arguments . (argument value: (string) @parent)))
    ]))) @definition.method
  (#eq? @_head "setMethod"))

((call function: (identifier) @_head arguments: (arguments . (argument value: [(identifier) (string)] @import)))
  (#any-of? @_head "library" "require" "requireNamespace" "loadNamespace" "source"))

((call function: (identifier) @reference.call)
  (#not-match? @reference.call "^(c|list|library|require|source|setClass|setGeneric|setMethod)$"))
(namespace_operator rhs: (identifier) @reference.call)
(extract_operator rhs: (identifier) @reference.member)
(identifier) @reference.name
