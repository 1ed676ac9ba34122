; What JavaScript and TypeScript share.

; definitions
(class_declaration name: (_) @name) @definition.class
(variable_declarator name: (identifier) @name value: (class)) @definition.class
(function_declaration name: (_) @name) @definition.function
(generator_function_declaration name: (_) @name) @definition.function
(method_definition name: (_) @name) @definition.method
(variable_declarator
  name: (identifier) @name
  value: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(assignment_expression
  left: (member_expression) @name
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(assignment_expression left: (member_expression) @name right: (class)) @definition.class
((assignment_expression
  left: (member_expression) @_target
  right: [(function_expression name: (_) @name) (class name: (_) @name)] @definition.function)
  (#eq? @_target "module.exports"))
(pair
  key: [(property_identifier) (string)] @name
  value: [(arrow_function) (function_expression) (generator_function)]) @definition.method
(program [(lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable)
          (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable)
          (export_statement (lexical_declaration (variable_declarator name: (identifier) @name) @definition.variable))
          (export_statement (variable_declaration (variable_declarator name: (identifier) @name) @definition.variable))
          (expression_statement (assignment_expression left: (member_expression) @name) @definition.variable)])
; Svelte's reactive declarations.
((program
  (labeled_statement
    label: (_) @_label
    body: (expression_statement (assignment_expression left: (identifier) @name))) @definition.variable)
  (#eq? @_label "$"))

; imports
(import_statement source: (string) @import)
(export_statement source: (string) @import)
(import_specifier name: (_) @reference.import)
(import_specifier alias: (_) @reference.import)
(import_clause (identifier) @reference.import)
(namespace_import (identifier) @reference.import)
(call_expression function: (import) arguments: (arguments . (string) @import))
((call_expression function: (identifier) @_require arguments: (arguments . (string) @import))
  (#eq? @_require "require"))
((variable_declarator
  name: [(identifier) @name (object_pattern (shorthand_property_identifier_pattern) @reference.import)]
  value: (call_expression function: (identifier) @_require)) @definition.import
  (#eq? @_require "require"))
; A name for what has that name elsewhere is an import or an export, no definition.
((program
  [(lexical_declaration (variable_declarator
     name: (identifier) @name @reference.import
     value: (member_expression property: (property_identifier) @_last)) @definition.import)
   (variable_declaration (variable_declarator
     name: (identifier) @name @reference.import
     value: (member_expression property: (property_identifier) @_last)) @definition.import)
   (export_statement (lexical_declaration (variable_declarator
     name: (identifier) @name @reference.import
     value: (member_expression property: (property_identifier) @_last)) @definition.import))])
  (#eq? @name @_last))
((expression_statement
  (assignment_expression
    left: (member_expression property: (property_identifier) @_field) @name
    right: [(identifier) @_last (member_expression property: (property_identifier) @_last)]) @definition.import)
  (#eq? @_field @_last))

; references
(call_expression function: (identifier) @reference.call)
(new_expression constructor: (identifier) @reference.call)
(member_expression property: (property_identifier) @reference.member)
(identifier) @reference.name
(shorthand_property_identifier) @reference.name
