(class name: (_) @name) @definition.class
(module name: (_) @name) @definition.module
(method name: (_) @name) @definition.method
(singleton_method name: (_) @name) @definition.method
(program (method name: (_) @name) @definition.function)
(assignment left: (constant) @name) @definition.constant
((call method: (identifier) @_method arguments: (argument_list (simple_symbol) @name)) @definition.property
  (#any-of? @_method "attr_accessor" "attr_reader" "attr_writer" "mattr_accessor" "cattr_accessor"))

((call method: (identifier) @_method arguments: (argument_list (string (string_content) @import)))
  (#any-of? @_method "require" "require_relative" "load" "autoload"))

(call method: (_) @reference.call)
(superclass (constant) @reference.type)
(constant) @reference.type
(identifier) @reference.name
