(class_declaration (type_identifier) @name) @definition.class
(class_declaration "interface" (type_identifier) @name) @definition.interface
(class_declaration "enum" (type_identifier) @name) @definition.enum
(enum_entry (simple_identifier) @name) @definition.constant
(object_declaration (type_identifier) @name) @definition.class
(companion_object (type_identifier) @name) @definition.class
(function_declaration (simple_identifier) @name) @definition.function
(function_declaration
  receiver: (receiver_type [(user_type (type_identifier) @parent) (nullable_type (user_type (type_identifier) @parent))]))
(secondary_constructor "constructor" @name) @definition.constructor
(type_alias . (type_identifier) @name) @definition.type
(source_file (property_declaration (variable_declaration (simple_identifier) @name)) @definition.variable)
(class_body (property_declaration (variable_declaration (simple_identifier) @name)) @definition.property)
(class_parameter (binding_pattern_kind) (simple_identifier) @name) @definition.property

(import_header (identifier) @import)
(import_header (identifier (simple_identifier) @reference.import .))

(call_expression . (simple_identifier) @reference.call)
(navigation_suffix (simple_identifier) @reference.member)
(callable_reference (simple_identifier) @reference.call)
(type_identifier) @reference.type
(simple_identifier) @reference.bare
