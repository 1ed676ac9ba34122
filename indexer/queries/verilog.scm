(module_declaration (module_header (simple_identifier) @name)) @definition.module
(interface_declaration (interface_ansi_header (interface_identifier (simple_identifier) @name))) @definition.interface
(package_declaration (package_identifier (simple_identifier) @name)) @definition.module
(class_declaration . (class_identifier (simple_identifier) @name)) @definition.class
(program_declaration (program_ansi_header (program_identifier (simple_identifier) @name))) @definition.module
(function_declaration (function_body_declaration (function_identifier (function_identifier (simple_identifier) @name)))) @definition.function
(task_declaration (task_body_declaration (task_identifier (task_identifier (simple_identifier) @name)))) @definition.function
(class_constructor_declaration "new" @name) @definition.constructor
(type_declaration (simple_identifier) @name) @definition.type
(enum_name_declaration (enum_identifier (simple_identifier) @name)) @definition.constant
(parameter_declaration (list_of_param_assignments (param_assignment (parameter_identifier (simple_identifier) @name)))) @definition.constant
(local_parameter_declaration (list_of_param_assignments (param_assignment (parameter_identifier (simple_identifier) @name)))) @definition.constant
(class_property (data_declaration (list_of_variable_decl_assignments (variable_decl_assignment (simple_identifier) @name)))) @definition.field
(ansi_port_declaration (port_identifier (simple_identifier) @name)) @definition.field
(module_or_generate_item (package_or_generate_item_declaration (data_declaration
  (list_of_variable_decl_assignments (variable_decl_assignment . (simple_identifier) @name))) @definition.variable))
(interface_or_generate_item (package_or_generate_item_declaration (data_declaration
  (list_of_variable_decl_assignments (variable_decl_assignment . (simple_identifier) @name))) @definition.variable))
(module_or_generate_item (package_or_generate_item_declaration (net_declaration
  (list_of_net_decl_assignments (net_decl_assignment . (simple_identifier) @name))) @definition.variable))
(text_macro_definition (text_macro_name (text_macro_identifier (simple_identifier) @name))) @definition.macro

(include_compiler_directive (double_quoted_string) @import)
(package_import_item (package_identifier (simple_identifier) @import))

(module_instantiation . (simple_identifier) @reference.type)
(tf_call . (simple_identifier) @reference.call)
(class_type (class_identifier (simple_identifier) @reference.type))
(primary (simple_identifier) @reference.bare)
(text_macro_usage (text_macro_identifier (simple_identifier) @reference.call))
