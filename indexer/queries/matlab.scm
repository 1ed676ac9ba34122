(class_definition name: (identifier) @name) @definition.class
(property name: (identifier) @name) @definition.property
(enum . (identifier) @name) @definition.constant
(function_definition name: (identifier) @name (block)? @body) @definition.function
(methods (function_signature name: (identifier) @name) @definition.method)

((command (command_name) @_import (command_argument) @import)
  (#eq? @_import "import"))

(function_call name: (identifier) @reference.call)
(field_expression field: (identifier) @reference.member)
(superclasses (property_name (identifier) @reference.type))
(identifier) @reference.name
