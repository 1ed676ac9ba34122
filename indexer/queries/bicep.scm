(parameter_declaration . "param" . (identifier) @name) @definition.variable
(variable_declaration . "var" . (identifier) @name) @definition.variable
(output_declaration . "output" . (identifier) @name) @definition.variable
(resource_declaration . "resource" . (identifier) @name) @definition.class
(module_declaration . "module" . (identifier) @name) @definition.module
(type_declaration . "type" . (identifier) @name) @definition.type
(user_defined_function name: (identifier) @name) @definition.function

(module_declaration (string) @import)

(call_expression function: (identifier) @reference.call)
(member_expression property: (property_identifier) @reference.member)
(identifier) @reference.name
