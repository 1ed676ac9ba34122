; inherits: c
(class_interface . (identifier) @name !category) @definition.class
(class_interface . (identifier) @name category: (_)) @scope
(class_implementation . (identifier) @name) @scope
(protocol_declaration . (identifier) @name) @definition.interface
(method_declaration (method_type) . (identifier) @name) @definition.method
(method_definition (method_type) . (identifier) @name (compound_statement) @body) @definition.method
(property_declaration (struct_declaration (struct_declarator [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)
]))) @definition.property
(instance_variable (struct_declaration (struct_declarator [
  (identifier) @name
  (pointer_declarator declarator: (identifier) @name)
]))) @definition.field
(implementation_definition (declaration declarator: [
  (identifier) @name
  (init_declarator declarator: (identifier) @name)
  (init_declarator declarator: (pointer_declarator declarator: (identifier) @name))
]) @definition.variable)

(type_definition declarator: (function_declarator declarator: (parenthesized_declarator
  (block_pointer_declarator declarator: (type_identifier) @name)))) @definition.type

(preproc_include path: (_) @import)
(module_import path: (_) @import)

(message_expression method: (identifier) @reference.member)
(class_interface superclass: (identifier) @reference.type)
(protocol_reference_list (identifier) @reference.type)
(selector_expression (identifier) @reference.member)
