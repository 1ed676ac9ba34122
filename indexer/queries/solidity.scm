(contract_declaration name: (identifier) @name) @definition.class
(library_declaration name: (identifier) @name) @definition.class
(interface_declaration name: (identifier) @name) @definition.interface
(struct_declaration name: (identifier) @name) @definition.class
(struct_member name: (identifier) @name) @definition.field
(enum_declaration name: (identifier) @name) @definition.enum
(enum_value) @name @definition.constant
(event_definition name: (identifier) @name) @definition.type
(error_declaration name: (identifier) @name) @definition.type
(user_defined_type_definition name: (identifier) @name) @definition.type
(function_definition name: (identifier) @name) @definition.function
(modifier_definition name: (identifier) @name) @definition.method
(constructor_definition "constructor" @name) @definition.constructor
(fallback_receive_definition ["receive" "fallback"] @name) @definition.method
(state_variable_declaration name: (identifier) @name) @definition.field
(constant_variable_declaration name: (identifier) @name) @definition.constant

(import_directive source: (string) @import)
(import_directive import_name: (identifier) @reference.import)
(import_directive alias: (identifier) @reference.import)

(call_expression function: (expression (identifier) @reference.call))
(member_expression property: (identifier) @reference.member)
(emit_statement name: (expression (identifier) @reference.call))
(modifier_invocation (identifier) @reference.call)
(user_defined_type (identifier) @reference.type)
(type_alias (identifier) @reference.type)
(expression (identifier) @reference.bare)
