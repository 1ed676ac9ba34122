(class_name_statement name: (name) @name) @definition.class
(class_definition name: (name) @name) @definition.class
(enum_definition name: (name) @name) @definition.enum
(enumerator left: (identifier) @name) @definition.constant
(function_definition name: (name) @name) @definition.function
(constructor_definition "_init" @name) @definition.constructor
(signal_statement name: (name) @name) @definition.property
(const_statement name: (name) @name) @definition.constant
(variable_statement name: (name) @name) @definition.variable
(class_body (variable_statement name: (name) @name) @definition.field)

((call . (identifier) @_load arguments: (arguments (string) @import))
  (#any-of? @_load "preload" "load"))
(extends_statement (string) @import)

(call . (identifier) @reference.call)
(attribute_call (identifier) @reference.member)
(attribute (_) (identifier) @reference.member)
(type (identifier) @reference.type)
(identifier) @reference.bare
