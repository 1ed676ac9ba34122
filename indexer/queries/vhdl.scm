(package_declaration name: (identifier) @name) @definition.module
(package_body package: (simple_name) @name) @definition.module
(entity_declaration name: (identifier) @name) @definition.class
(architecture_body name: (identifier) @name entity: (simple_name) @parent) @definition.module
(component_declaration name: (identifier) @name) @definition.interface
(function_declaration designator: (_) @name.whole) @definition.function
(function_body designator: (_) @name.whole "is" @body) @definition.function
(procedure_declaration designator: (_) @name.whole) @definition.function
(procedure_body designator: (_) @name.whole "is" @body) @definition.function
(process_statement (label (identifier) @name)) @definition.function
(full_type_declaration name: (identifier) @name) @definition.type
(full_type_declaration name: (identifier) @name (enumeration_type_definition)) @definition.enum
(enumeration_type_definition literal: (identifier) @name @definition.constant)
(subtype_declaration name: (identifier) @name) @definition.type
(constant_declaration (identifier_list (identifier) @name)) @definition.constant
(signal_declaration (identifier_list (identifier) @name)) @definition.variable
(entity_header (port_clause (signal_interface_declaration (identifier_list (identifier) @name)) @definition.field))
(entity_header (generic_clause (constant_interface_declaration (identifier_list (identifier) @name)) @definition.field))

(use_clause (selected_name) @import)

(component_instantiation component: (_) @reference.path)
(entity_instantiation entity: (_) @reference.path)
(architecture_body entity: (simple_name) @reference.type)
(ambiguous_name prefix: (simple_name) @reference.call)
(type_mark (simple_name) @reference.type)
(simple_name) @reference.name
