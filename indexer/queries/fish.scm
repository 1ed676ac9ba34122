(function_definition name: (_) @name.whole) @definition.function
((command name: (word) @_command . argument: (word) @name.whole) @definition.function
  (#eq? @_command "alias"))
((command name: (word) @_command . argument: (word) @_scope . argument: (word) @name.whole) @definition.variable
  (#eq? @_command "set") (#match? @_scope "^-(g|x|gx|xg|U|Ux|-global|-export|-universal)$"))

((command name: (word) @_command . argument: (_) @import)
  (#any-of? @_command "source" "."))

((command name: (word) @reference.call)
  (#not-match? @reference.call "^(set|source|alias|echo|test|return|builtin|string)$"))
(variable_name) @reference.name
