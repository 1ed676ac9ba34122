(function name: (identifier) @name) @definition.function
(type_definition (type_name name: (type_identifier) @name)) @definition.class
(data_constructor name: (constructor_name) @name @definition.constructor)
(data_constructor_argument label: (label) @name) @definition.property
(type_alias (type_name name: (type_identifier) @name)) @definition.type
(constant name: (identifier) @name) @definition.constant

(import module: (module) @import)
(unqualified_import name: (_) @reference.import)

(function_call function: (identifier) @reference.call)
(function_call function: (field_access field: (label) @reference.member))
(field_access field: (label) @reference.member)
(type name: (type_identifier) @reference.type)
(constructor_name) @reference.name
(identifier) @reference.name
