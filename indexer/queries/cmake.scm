; taken match by match
(function_def (function_command (argument_list . (argument) @name.whole)) (body) @body) @definition.function
(macro_def (macro_command (argument_list . (argument) @name.whole)) (body) @body) @definition.macro
((normal_command (identifier) @_command (argument_list . (argument) @name.whole)) @definition.variable
  (#match? @_command "^([sS][eE][tT]|[oO][pP][tT][iI][oO][nN]|cmake_dependent_option)$")
  (#not-match? @name.whole "[$]"))
((normal_command (identifier) @_command (argument_list . (argument) @name.whole)) @definition.class
  (#match? @_command "^(add_library|add_executable|add_custom_target|ADD_LIBRARY|ADD_EXECUTABLE)$"))
((normal_command (identifier) @_command (argument_list . (argument) @name.whole)) @definition.module
  (#match? @_command "^(project|PROJECT)$"))

((normal_command (identifier) @_command (argument_list . (argument) @import))
  (#any-of? @_command "include" "find_package" "add_subdirectory"))

((normal_command (identifier) @reference.call)
  (#not-match? @reference.call
    "^(set|option|project|include|find_package|message|add_library|add_executable|add_custom_target|add_subdirectory)$"))
((unquoted_argument) @reference.bare
  (#not-match? @reference.bare "[$\"]|^[A-Z_]+$"))
(variable) @reference.bare
