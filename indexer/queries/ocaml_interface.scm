; What OCaml's interfaces and implementations share.
(type_definition ["type" "and" "nonrec"] @from)
(module_definition ["module" "and" "rec"] @from)
(class_definition ["class" "and"] @from)
(class_type_definition ["class" "type" "and"] @from)
(external [(value_name) @name.whole (parenthesized_operator (_) @name.whole)]) @definition.function
(value_specification [(value_name) @name.whole (parenthesized_operator (_) @name.whole)]) @definition.variable
(value_specification
  [(value_name) @name.whole (parenthesized_operator (_) @name.whole)]
  type: [(function_type) (polymorphic_type (function_type))]) @definition.function
(type_binding name: (type_constructor) @name.whole) @definition.type
(type_binding name: (type_constructor) @name.whole body: (variant_declaration)) @definition.enum
(type_binding name: (type_constructor) @name.whole body: (record_declaration)) @definition.class
(type_binding body: (variant_declaration (constructor_declaration (constructor_name) @name.whole) @definition.constant))
(field_declaration (field_name) @name.whole) @definition.field
(exception_definition (constructor_declaration (constructor_name) @name.whole)) @definition.class
(module_binding (module_name) @name.whole) @definition.module
(module_type_definition (module_type_name) @name.whole) @definition.interface
(class_binding (class_name) @name.whole) @definition.class
(class_type_binding (class_type_name) @name.whole) @definition.interface
(method_specification (method_name) @name.whole) @definition.method
(open_module module: (_) @import)
(include_module module: (_) @import)
(extended_module_path (module_name) @reference.name)
(type_constructor) @reference.type
(module_type_name) @reference.type
(module_path (module_name) @reference.name)
