(part text: (curly_group (_) @name.whole)) @definition.section
(chapter text: (curly_group (_) @name.whole)) @definition.section
(section text: (curly_group (_) @name.whole)) @definition.section
(subsection text: (curly_group (_) @name.whole)) @definition.section
(subsubsection text: (curly_group (_) @name.whole)) @definition.section
(new_command_definition declaration: [
  (curly_group_command_name command: (command_name) @name.sigil)
  (command_name) @name.sigil
]) @definition.macro
(old_command_definition declaration: (command_name) @name.sigil) @definition.macro
(environment_definition name: (curly_group_text text: (text) @name.whole)) @definition.macro
(label_definition name: (curly_group_label label: (label) @name.whole)) @definition.constant

(package_include paths: (curly_group_path_list path: (path) @import))
(latex_include path: (curly_group_path path: (path) @import))

(label_reference names: (curly_group_label_list label: (label) @reference.member))
(citation keys: (curly_group_text_list text: (text) @reference.member))
