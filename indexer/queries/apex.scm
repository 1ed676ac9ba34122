(class_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.constant
(method_declaration name: (identifier) @name) @definition.method
(constructor_declaration name: (identifier) @name) @definition.constructor
(field_declaration declarator: (variable_declarator name: (identifier) @name)) @definition.field
(field_declaration declarator: (variable_declarator name: (identifier) @name) (accessor_list)) @definition.property
(trigger_declaration name: (identifier) @name) @definition.function

(method_invocation name: (identifier) @reference.call)
(field_access field: (identifier) @reference.member)
(storage_identifier (identifier) @reference.type)
(type_identifier) @reference.type
(identifier) @reference.bare
