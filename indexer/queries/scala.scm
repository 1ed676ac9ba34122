(class_definition name: (identifier) @name) @definition.class
(object_definition name: (identifier) @name) @definition.class
(trait_definition name: (identifier) @name) @definition.interface
(enum_definition name: (identifier) @name) @definition.enum
(simple_enum_case name: (identifier) @name) @definition.constant
(full_enum_case name: (identifier) @name) @definition.constant
(package_object name: (identifier) @name) @definition.module
(function_definition name: (_) @name) @definition.function
(function_declaration name: (_) @name) @definition.function
(given_definition name: (identifier) @name) @definition.variable
(type_definition name: (type_identifier) @name) @definition.type
(template_body (val_definition pattern: (identifier) @name) @definition.field)
(template_body (var_definition pattern: (identifier) @name) @definition.field)
(template_body (val_declaration name: (identifier) @name) @definition.field)
(template_body (var_declaration name: (identifier) @name) @definition.field)
(compilation_unit (val_definition pattern: (identifier) @name) @definition.variable)
(compilation_unit (var_definition pattern: (identifier) @name) @definition.variable)
(class_parameter name: (identifier) @name) @definition.field

(import_declaration) @import
(import_declaration (namespace_selectors (identifier) @reference.import))
(arrow_renamed_identifier name: (identifier) @reference.import alias: (identifier) @reference.import)

(call_expression function: (identifier) @reference.call)
(generic_function function: (identifier) @reference.call)
(field_expression field: (identifier) @reference.member)
(type_identifier) @reference.type
(identifier) @reference.bare
