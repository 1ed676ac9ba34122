(function_declaration name: (_) @name) @definition.function
(assignment_statement
  (variable_list . name: (_) @name)
  (expression_list . value: (function_definition))) @definition.function
(field name: (identifier) @name value: (function_definition)) @definition.function
(chunk (variable_declaration (assignment_statement (variable_list name: (identifier) @name))) @definition.variable)
(chunk (assignment_statement (variable_list name: (_) @name)) @definition.variable)
((variable_declaration
  (assignment_statement
    (variable_list . name: (identifier) @name)
    (expression_list . value: (function_call name: (identifier) @_require)))) @definition.import
  (#eq? @_require "require"))
; A name for what has that name elsewhere.
((chunk
  (variable_declaration
    (assignment_statement
      (variable_list . name: (identifier) @name @reference.import .)
      (expression_list . value: (dot_index_expression field: (identifier) @_last) .))) @definition.import)
  (#eq? @name @_last))

((function_call name: (identifier) @_require arguments: (arguments (string (string_content) @import)))
  (#eq? @_require "require"))

(function_call name: (identifier) @reference.call)
(dot_index_expression field: (identifier) @reference.member)
(method_index_expression method: (identifier) @reference.member)
(identifier) @reference.name
