(module_definition name: (identifier) @name) @definition.module
(abstract_definition (type_head [(identifier) @name (binary_expression . [
  (identifier) @name (parametrized_type_expression . (identifier) @name)]) (parametrized_type_expression . (identifier) @name)])) @definition.type
(primitive_definition (type_head [(identifier) @name (binary_expression . (identifier) @name)])) @definition.type
(struct_definition (type_head [
  (identifier) @name
  (parametrized_type_expression . (identifier) @name)
  (binary_expression . [(identifier) @name (parametrized_type_expression . (identifier) @name)])
]) (block)? @body) @definition.class
(struct_definition (block [
  (identifier) @name @definition.field
  (typed_expression . (identifier) @name) @definition.field
  (const_statement [(identifier) @name (typed_expression . (identifier) @name)]) @definition.field
  (assignment . [(identifier) @name (typed_expression . (identifier) @name)]) @definition.field
]))
(function_definition (signature [
  (identifier) @name
  (call_expression . [(identifier) @name (field_expression) @name (operator) @name.whole
    (parametrized_type_expression . (identifier) @name)])
  (typed_expression . (call_expression . [(identifier) @name (field_expression) @name (operator) @name.whole]))
  (where_expression . [
    (call_expression . [(identifier) @name (field_expression) @name (operator) @name.whole
      (parametrized_type_expression . (identifier) @name)])
    (typed_expression . (call_expression . [(identifier) @name (field_expression) @name]))
    (where_expression . (call_expression . [(identifier) @name (field_expression) @name]))
  ])
]) (block)? @body) @definition.function
(assignment . [
  (call_expression . [(identifier) @name (field_expression) @name (operator) @name.whole
    (parametrized_type_expression . (identifier) @name)])
  (typed_expression . (call_expression . [(identifier) @name (field_expression) @name]))
  (where_expression . [
    (call_expression . [(identifier) @name (field_expression) @name (parametrized_type_expression . (identifier) @name)])
    (typed_expression . (call_expression . [(identifier) @name (field_expression) @name]))
  ])
  (binary_expression (_) . (operator) @name.whole . (_))
]) @definition.function
(macro_definition (signature (call_expression . (identifier) @name)) (block)? @body) @definition.macro
(const_statement (assignment . [(identifier) @name (typed_expression . (identifier) @name)])) @definition.constant
(global_statement (assignment . (identifier) @name)) @definition.variable
(source_file (assignment . [(identifier) @name (typed_expression . (identifier) @name)]) @definition.variable)
(module_definition (block (assignment . [(identifier) @name (typed_expression . (identifier) @name)]) @definition.variable))
((macrocall_expression (macro_identifier (identifier) @_enum) (macro_argument_list . [(identifier) @name
  (typed_expression . (identifier) @name)])) @definition.enum
  (#eq? @_enum "enum"))
((macrocall_expression (macro_identifier (identifier) @_enum)
  (macro_argument_list . (_) [(identifier) @name @definition.constant (assignment . (identifier) @name) @definition.constant]))
  (#eq? @_enum "enum"))

(using_statement [(identifier) (import_path)] @import)
(import_statement [(identifier) (import_path)] @import)
(using_statement (selected_import . (_) @import (identifier) @reference.import))
(import_statement (selected_import . (_) @import (identifier) @reference.import))
((call_expression . (identifier) @_include (argument_list (string_literal) @import))
  (#eq? @_include "include"))

(call_expression . (identifier) @reference.call)
(broadcast_call_expression . (identifier) @reference.call)
(field_expression value: (_) (identifier) @reference.member)
(macro_identifier (identifier) @reference.call)
(operator) @reference.name
(identifier) @reference.name
