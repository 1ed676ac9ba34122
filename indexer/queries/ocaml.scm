; inherits: ocaml_interface
(value_definition ["let" "and" "rec"] @from)
(let_binding pattern: [(value_name) @name.whole (parenthesized_operator (_) @name.whole)] (parameter)) @definition.function
(let_binding
  pattern: [(value_name) @name.whole (parenthesized_operator (_) @name.whole)]
  body: [(fun_expression) (function_expression)]) @definition.function
(compilation_unit (value_definition (let_binding pattern: [
  (value_name) @name.whole (parenthesized_operator (_) @name.whole) (tuple_pattern (value_name) @name.whole)]) @definition.variable))
(structure (value_definition (let_binding pattern: [
  (value_name) @name.whole (parenthesized_operator (_) @name.whole) (tuple_pattern (value_name) @name.whole)]) @definition.variable))
(method_definition (method_name) @name.whole) @definition.method
(instance_variable_definition (instance_variable_name) @name.whole) @definition.field
(application_expression function: (value_path (value_name) @reference.call))
(value_path (module_path) (value_name) @reference.member)
(value_path (value_name) @reference.name)
(method_invocation (method_name) @reference.member)
(field_get_expression field: (field_path (field_name) @reference.member))
(constructor_path (constructor_name) @reference.name)
(new_expression (class_path (class_name) @reference.call))
