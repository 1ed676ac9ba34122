(module_def (module_declaration (module_fqn) @name)) @definition.module
(class_declaration (identifier) @name (aggregate_body)? @body) @definition.class
(struct_declaration (identifier) @name (aggregate_body)? @body) @definition.class
(union_declaration (identifier) @name (aggregate_body)? @body) @definition.class
(interface_declaration (identifier) @name (aggregate_body)? @body) @definition.interface
(template_declaration (identifier) @name) @definition.class
(enum_declaration . (enum) . (identifier) @name) @definition.enum
(enum_member . (identifier) @name) @definition.constant
(function_declaration (type)? (identifier) @name . [(parameters) (template_parameters)] (function_body)? @body) @definition.function
(constructor (this) @name (function_body)? @body) @definition.constructor
(destructor (this) @name (function_body)? @body) @definition.method
(variable_declaration (declarator . (identifier) @name)) @definition.variable
(aggregate_body (variable_declaration (declarator . (identifier) @name)) @definition.field)
(auto_declaration variable: (identifier) @name) @definition.variable
(manifest_constant (manifest_declarator . (identifier) @name)) @definition.constant
(alias_declaration (alias_initializer . (identifier) @name)) @definition.type

(imported (module_fqn) @import)
(import_bind (identifier) @reference.import)

(call_expression . (identifier) @reference.call)
(call_expression (type (template_instance . (identifier) @reference.call)))
(template_instance . (identifier) @reference.call)
(property_expression (_) (identifier) @reference.member)
(type (identifier) @reference.type)
(base_class (identifier) @reference.type)
(identifier) @reference.bare
