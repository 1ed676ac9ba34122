; inherits: ecma
(abstract_class_declaration name: (_) @name) @definition.class
(interface_declaration name: (_) @name) @definition.interface
(enum_declaration name: (_) @name) @definition.enum
(enum_body (property_identifier) @name @definition.constant)
(enum_assignment name: (_) @name) @definition.constant
(internal_module name: (_) @name) @definition.module
(module name: (_) @name) @definition.module
(type_alias_declaration name: (_) @name) @definition.type
(type_alias_declaration name: (_) @name value: (object_type)) @definition.interface
(function_signature name: (_) @name) @definition.function
(method_signature name: (_) @name) @definition.method
(abstract_method_signature name: (_) @name) @definition.method
(property_signature name: (_) @name) @definition.field
(public_field_definition
  name: (_) @name
  value: [(arrow_function) (function_expression)]) @definition.method
(public_field_definition name: (_) @name) @definition.field
(required_parameter (accessibility_modifier) pattern: (identifier) @name) @definition.field
(ambient_declaration (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable))
(ambient_declaration (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable))
(internal_module body: (statement_block
  (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable))))

(import_require_clause source: (string) @import)
(import_require_clause (identifier) @reference.import)

(type_identifier) @reference.type
