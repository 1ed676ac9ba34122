(package_declaration name: (_) @name) @definition.module
(package_body name: (_) @name) @definition.module
(generic_package_declaration (package_declaration name: (_) @name)) @definition.module
(subprogram_body [(function_specification name: (_) @name) (procedure_specification name: (_) @name)] "is" @body) @definition.function
(subprogram_declaration [(function_specification name: (_) @name) (procedure_specification name: (_) @name)]) @definition.function
(expression_function_declaration (function_specification name: (_) @name)) @definition.function
(full_type_declaration . "type" . (identifier) @name) @definition.type
(full_type_declaration (identifier) @name [(record_type_definition) (derived_type_definition (record_extension_part))]) @definition.class
(full_type_declaration (identifier) @name (enumeration_type_definition)) @definition.enum
(enumeration_type_definition (identifier) @name @definition.constant)
(private_type_declaration (identifier) @name) @definition.type
(subtype_declaration . "subtype" . (identifier) @name) @definition.type
(component_declaration . (identifier) @name) @definition.field
(task_type_declaration "type" . (identifier) @name) @definition.class
(protected_type_declaration "type" . (identifier) @name) @definition.class
(entry_declaration entry_name: (identifier) @name) @definition.method
(exception_declaration . (identifier) @name) @definition.class
(object_declaration name: (identifier) @name) @definition.variable
(object_declaration name: (identifier) @name "constant") @definition.constant

(with_clause [(identifier) (selected_component)] @import)

(function_call name: (identifier) @reference.call)
(procedure_call_statement name: (identifier) @reference.call)
(selected_component selector_name: (identifier) @reference.member)
(_ subtype_mark: (identifier) @reference.type)
(term name: (identifier) @reference.bare)
