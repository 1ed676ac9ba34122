(procedure name: (_) @name body: (_) @body) @definition.function
(namespace (word_list . (simple_word) @_eval . (simple_word) @name . (braced_word) @body)) @definition.module
(namespace (word_list . (simple_word) . (simple_word) . (braced_word
  (command name: (simple_word) @_variable arguments: (word_list . (simple_word) @name)) @definition.variable))
  (#eq? @_variable "variable"))
(source_file (set (id) @name) @definition.variable)

((command name: (simple_word) @_package arguments: (word_list . (simple_word) @_require . (_) @import))
  (#eq? @_package "package") (#eq? @_require "require"))
((command name: (simple_word) @_source arguments: (word_list (_) @import .))
  (#eq? @_source "source"))

((command name: (simple_word) @reference.path)
  (#not-match? @reference.path "^(package|source|return|variable|[0-9]+)$"))
(id) @reference.name
