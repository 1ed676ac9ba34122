(module (module_statement (name) @name)) @definition.module
(submodule (submodule_statement (name) @name)) @definition.module
(program (program_statement (name) @name)) @definition.module
(function (function_statement name: (name) @name)) @definition.function
(subroutine (subroutine_statement name: (name) @name)) @definition.function
(derived_type_definition (derived_type_statement (type_name) @name)) @definition.class
(derived_type_definition (variable_declaration declarator: [
  (identifier) @name
  (sized_declarator (identifier) @name)
  (init_declarator left: (identifier) @name)
]) @definition.field)
(derived_type_procedures (procedure_statement declarator: (binding (binding_name (identifier) @name))) @definition.method)
(interface (interface_statement (name) @name)) @definition.interface
(module (variable_declaration declarator: [
  (identifier) @name
  (sized_declarator (identifier) @name)
  (init_declarator left: (identifier) @name)
]) @definition.variable)
((module (variable_declaration attribute: (type_qualifier) @_constant) @definition.constant)
  (#match? @_constant "^[pP][aA][rR][aA][mM]"))

(use_statement (module_name) @import)
(include_statement (filename) @import)
(use_statement (included_items (identifier) @reference.import))

(call_expression . (identifier) @reference.call)
(subroutine_call subroutine: (identifier) @reference.call)
(derived_type_member_expression (type_member) @reference.member)
(derived_type name: (type_name) @reference.type)
(base_type_specifier (identifier) @reference.type)
(identifier) @reference.name
