; An annotation and the declaration below it are one function.
(module_declaration name: (upper_case_qid) @name) @definition.namespace
(file (type_annotation name: (lower_case_identifier) @name) @clause.function)
(file (value_declaration
  functionDeclarationLeft: (function_declaration_left . (lower_case_identifier) @name)
  body: (_) @body) @clause.function)
(port_annotation name: (lower_case_identifier) @name) @definition.function
(type_alias_declaration name: (upper_case_identifier) @name typeExpression: (_) @body) @definition.type
(type_alias_declaration
  name: (upper_case_identifier) @name
  typeExpression: (type_expression part: (record_type))) @definition.class
(field_type name: (lower_case_identifier) @name) @definition.field
(type_declaration name: (upper_case_identifier) @name) @definition.enum
(union_variant name: (upper_case_identifier) @name) @definition.constant

(import_clause moduleName: (upper_case_qid) @import)
(import_clause exposing: (exposing_list (exposed_value (lower_case_identifier) @reference.import)))
(import_clause exposing: (exposing_list (exposed_type (upper_case_identifier) @reference.import)))

(function_call_expr target: (value_expr name: (value_qid (lower_case_identifier) @reference.call)))
(value_qid (lower_case_identifier) @reference.name)
(value_qid (upper_case_identifier) @reference.name)
(field_access_expr (lower_case_identifier) @reference.member)
(field_accessor_function_expr (lower_case_identifier) @reference.member)
(type_ref (upper_case_qid (upper_case_identifier) @reference.type))
(exposing_list [(exposed_value (lower_case_identifier) @reference.name) (exposed_type (upper_case_identifier) @reference.name)])
