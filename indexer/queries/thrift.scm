(struct_definition . "struct" . type: (identifier) @name) @definition.class
(union_definition . "union" . type: (identifier) @name) @definition.class
(exception_definition . "exception" . (identifier) @name) @definition.class
(enum_definition . "enum" . type: (identifier) @name) @definition.enum
(enum_definition type: (identifier) (identifier) @name @definition.constant)
(service_definition . "service" . type: (identifier) @name) @definition.interface
(function_definition (type) . (identifier) @name) @definition.method
(field (type) . (identifier) @name) @definition.field
(typedef_definition (typedef_identifier) @name) @definition.type
(const_definition (type) . (identifier) @name) @definition.constant

(include_statement (string (string_fragment) @import))

(type (identifier) @reference.type)
(service_definition "extends" . type: (identifier) @reference.type)
