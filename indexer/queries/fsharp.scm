(named_module name: (long_identifier) @name) @definition.module
(namespace name: (long_identifier) @name) @definition.module
(module_defn (identifier) @name) @definition.module
(type_definition (union_type_defn (type_name type_name: (identifier) @name))) @definition.enum
(type_definition (record_type_defn (type_name type_name: (identifier) @name))) @definition.class
(type_definition (anon_type_defn (type_name type_name: (identifier) @name))) @definition.class
(type_definition (enum_type_defn (type_name type_name: (identifier) @name))) @definition.enum
(type_definition (interface_type_defn (type_name type_name: (identifier) @name))) @definition.interface
(type_definition (type_abbrev_defn (type_name type_name: (identifier) @name))) @definition.type
(union_type_case . (identifier) @name) @definition.constant
(enum_type_case . (identifier) @name) @definition.constant
(record_field (identifier) @name) @definition.field
(exception_definition exception_name: (long_identifier) @name) @definition.class
(member_defn (method_or_prop_defn
  name: (property_or_ident (identifier) @name .)
  args: (_))) @definition.method
(member_defn (method_or_prop_defn
  name: (property_or_ident (identifier) @name .)
  !args)) @definition.property
(member_defn (property_or_ident . (identifier) @name .)) @definition.property
(member_defn (member_signature (identifier) @name)) @definition.method
(function_or_value_defn (function_declaration_left . [(identifier) @name (op_identifier) @name.whole])) @each.function
(type_extension_elements (function_or_value_defn
  (value_declaration_left (identifier_pattern (long_identifier_or_op (identifier) @name)))) @definition.field)
(named_module (declaration_expression (function_or_value_defn
  (value_declaration_left (identifier_pattern (long_identifier_or_op (identifier) @name)))) @definition.variable))
(module_defn (declaration_expression (function_or_value_defn
  (value_declaration_left (identifier_pattern (long_identifier_or_op (identifier) @name)))) @definition.variable))
(file (declaration_expression (function_or_value_defn
  (value_declaration_left (identifier_pattern (long_identifier_or_op (identifier) @name)))) @definition.variable))

(import_decl (long_identifier) @import)

(application_expression . (long_identifier_or_op) @reference.path)
(simple_type (long_identifier) @reference.path)
(long_identifier_or_op (long_identifier (identifier) (identifier) @reference.member .))
(long_identifier_or_op (identifier) @reference.name)
(long_identifier_or_op (long_identifier . (identifier) @reference.name))
