(class_declaration "class" name: (_) @name) @definition.class
(class_declaration "struct" name: (_) @name) @definition.class
(class_declaration "actor" name: (_) @name) @definition.class
(class_declaration "enum" name: (_) @name) @definition.enum
(class_declaration "extension" name: (_) @name) @scope
(protocol_declaration name: (_) @name) @definition.interface
(function_declaration name: (simple_identifier) @name) @definition.function
(protocol_function_declaration name: (simple_identifier) @name) @definition.method
(init_declaration "init" @name) @definition.constructor
(deinit_declaration "deinit" @name) @definition.method
(subscript_declaration "subscript" @name) @definition.method
(typealias_declaration . name: (type_identifier) @name) @definition.type
(enum_entry name: (simple_identifier) @name) @definition.constant
(protocol_property_declaration name: (pattern (simple_identifier) @name)) @definition.property
(source_file (property_declaration name: (pattern (simple_identifier) @name)) @definition.variable)
(class_body (property_declaration name: (pattern (simple_identifier) @name)) @definition.property)
(enum_class_body (property_declaration name: (pattern (simple_identifier) @name)) @definition.property)

(import_declaration (identifier) @import)

(call_expression . (simple_identifier) @reference.call)
(navigation_suffix suffix: (simple_identifier) @reference.member)
(type_identifier) @reference.type
(simple_identifier) @reference.bare
