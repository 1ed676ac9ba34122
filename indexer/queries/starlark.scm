(function_definition name: (identifier) @name) @definition.function
(module (expression_statement (assignment left: (identifier) @name)) @definition.variable)
; Targets, by the name that others depend on.
((module (expression_statement (call
  function: (_)
  arguments: (argument_list (keyword_argument name: (identifier) @_name value: (string (string_content) @name.whole))))) @definition.section)
  (#eq? @_name "name"))

((call function: (identifier) @_load arguments: (argument_list . (string) @import))
  (#eq? @_load "load"))

(call function: (identifier) @reference.call)
(attribute attribute: (identifier) @reference.member)
(identifier) @reference.name
