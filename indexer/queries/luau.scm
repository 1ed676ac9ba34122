; inherits: lua
(type_definition name: (identifier) @name) @definition.type
(type_definition name: (identifier) @name (object_type)) @definition.class
(type_definition (object_type (identifier) @name @definition.field))

((function_call name: (identifier) @_require arguments: (arguments (dot_index_expression) @import))
  (#eq? @_require "require"))
