(struct_item name: (type_identifier) @name) @definition.class
(union_item name: (type_identifier) @name) @definition.class
(enum_item name: (type_identifier) @name) @definition.enum
(enum_variant name: (identifier) @name) @definition.constant
(trait_item name: (type_identifier) @name) @definition.interface
(impl_item type: (_) @name) @scope
(function_item name: (_) @name) @definition.function
(function_signature_item name: (_) @name) @definition.function
(field_declaration name: (field_identifier) @name) @definition.field
(type_item name: (type_identifier) @name) @definition.type
(associated_type name: (type_identifier) @name) @definition.type
(const_item name: (identifier) @name) @definition.constant
(static_item name: (identifier) @name) @definition.variable
(macro_definition name: (identifier) @name) @definition.macro
(mod_item name: (identifier) @name body: (_)) @definition.module

(use_declaration argument: (_) @import)
(extern_crate_declaration name: (identifier) @import)
(mod_item name: (identifier) @import !body)
(use_declaration argument: (scoped_identifier name: (_) @reference.import))
(use_list [(identifier) @reference.import (scoped_identifier name: (_) @reference.import)])
(use_as_clause path: [(identifier) @reference.import (scoped_identifier name: (_) @reference.import)])
(use_as_clause alias: (identifier) @reference.import)

(call_expression function: (identifier) @reference.call)
(macro_invocation macro: (identifier) @reference.call)
(generic_function function: (identifier) @reference.call)
(scoped_identifier name: (identifier) @reference.member)
(field_expression field: (field_identifier) @reference.member)
(type_identifier) @reference.type
(identifier) @reference.name
