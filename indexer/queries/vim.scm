(function_definition (function_declaration name: [
  (identifier) @name.whole
  (scoped_identifier (identifier) @name.whole)
  (field_expression field: (identifier) @name.whole)
]) (body)? @body) @definition.function
(function_definition (function_declaration name: (field_expression value: [
  (identifier) @parent
  (scoped_identifier (identifier) @parent)
])))
(script_file (let_statement [(identifier) @name.whole (scoped_identifier (identifier) @name.whole)]) @definition.variable)
(command_statement name: (command_name) @name.whole) @definition.function
((augroup_statement (augroup_name) @name.whole) @definition.section
  (#not-eq? @name.whole "END"))

(source_statement file: (filename) @import)
(runtime_statement (filenames (filename) @import))

(call_expression function: [
  (identifier) @reference.call
  (scoped_identifier (identifier) @reference.call)
  (field_expression field: (identifier) @reference.member)
])
(scoped_identifier (identifier) @reference.name)
(field_expression field: (identifier) @reference.member)
