(procedure_declaration . (identifier) @name (procedure (block)? @body)) @definition.function
(overloaded_procedure_declaration . (identifier) @name) @definition.function
(struct_declaration . (identifier) @name) @definition.class
(union_declaration . (identifier) @name) @definition.class
(enum_declaration . (identifier) @name) @definition.enum
(enum_declaration . (identifier) (identifier) @name @definition.constant)
(field . (identifier) @name) @definition.field
(const_declaration . (identifier) @name) @definition.constant
(source_file (var_declaration . (identifier) @name) @definition.variable)
(source_file (variable_declaration . (identifier) @name) @definition.variable)

(import_declaration (string (string_content) @import))

(call_expression function: (identifier) @reference.call)
(member_expression . (_) (identifier) @reference.member)
(type (identifier) @reference.type)
(identifier) @reference.name
