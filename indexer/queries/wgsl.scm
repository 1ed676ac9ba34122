(struct_declaration name: (identifier) @name) @definition.class
(struct_member (variable_identifier_declaration name: (identifier) @name)) @definition.field
(function_declaration name: (identifier) @name) @definition.function
(type_alias_declaration (identifier) @name) @definition.type
(global_constant_declaration (variable_identifier_declaration name: (identifier) @name)) @definition.constant
(global_variable_declaration
  (variable_declaration (variable_identifier_declaration name: (identifier) @name))) @definition.variable

(type_constructor_or_function_call_expression (type_declaration (identifier) @reference.call))
(composite_value_decomposition_expression accessor: (identifier) @reference.member)
(type_declaration (identifier) @reference.type)
(identifier) @reference.name
