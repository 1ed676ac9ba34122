(description) @lead
(object_type_definition (name) @name) @definition.class
(input_object_type_definition (name) @name) @definition.class
(interface_type_definition (name) @name) @definition.interface
(enum_type_definition (name) @name) @definition.enum
(enum_value_definition (enum_value (name) @name)) @definition.constant
(union_type_definition (name) @name) @definition.type
(scalar_type_definition (name) @name) @definition.type
(directive_definition (name) @name) @definition.macro
(field_definition (name) @name) @definition.field
(input_fields_definition (input_value_definition (name) @name) @definition.field)
(object_type_extension (name) @name) @scope
(interface_type_extension (name) @name) @scope
(input_object_type_extension (name) @name) @scope
(enum_type_extension (name) @name) @scope
(operation_definition (name) @name) @definition.function
(fragment_definition (fragment_name) @name) @definition.type

(named_type (name) @reference.type)
(fragment_spread (fragment_name) @reference.type)
(directive (name) @reference.call)
(field (name) @reference.member)
