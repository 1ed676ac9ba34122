(package_statement name: (package) @name .) @definition.namespace
(package_statement name: (package) @name (block) @body) @definition.module
(class_statement name: (package) @name .) @definition.namespace
(class_statement name: (package) @name (block) @body) @definition.class
(subroutine_declaration_statement name: (bareword) @name) @definition.function
(method_declaration_statement name: (bareword) @name) @definition.method
(source_file (expression_statement
  (variable_declaration (_ (varname) @name))) @definition.variable)
(source_file (expression_statement
  (assignment_expression left: (variable_declaration (_ (varname) @name)))) @definition.variable)
((use_statement module: (package) @_use (list_expression . (autoquoted_bareword) @name)) @definition.constant
  (#eq? @_use "constant"))
((use_statement module: (package) @_use (anonymous_hash_expression (list_expression (autoquoted_bareword) @name))) @definition.constant
  (#eq? @_use "constant"))

((use_statement module: (package) @import)
  (#not-match? @import "^(strict|warnings|utf8|constant|feature|vars|lib|parent|base|integer)$"))
((use_statement module: (package) @_use [(string_literal (string_content) @import) (quoted_word_list (string_content) @import)])
  (#any-of? @_use "parent" "base"))
(require_expression (bareword) @import)

(function_call_expression function: (function) @reference.path)
(ambiguous_function_call_expression function: (function) @reference.path)
(method_call_expression method: (method) @reference.member)
(bareword) @reference.path
(varname) @reference.name
