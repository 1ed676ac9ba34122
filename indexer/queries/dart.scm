; A function's body is the node after its signature.
(function_body) @until
(program (function_signature name: (identifier) @name) @definition.function)
(program (getter_signature name: (identifier) @name) @definition.function)
(program (setter_signature name: (identifier) @name) @definition.function)
(lambda_expression parameters: (function_signature name: (identifier) @name)) @definition.function
(class_definition name: (identifier) @name) @definition.class
(mixin_declaration . (mixin) . (identifier) @name (class_body) @body) @definition.class
(extension_declaration name: (identifier) @name) @definition.class
(extension_type_declaration name: (identifier) @name) @definition.class
(enum_declaration name: (identifier) @name) @definition.enum
(enum_constant name: (identifier) @name) @definition.constant
(type_alias . (type_identifier) @name) @definition.type
(method_signature (function_signature name: (identifier) @name)) @definition.method
(method_signature (getter_signature name: (identifier) @name)) @definition.property
(method_signature (setter_signature name: (identifier) @name)) @definition.property
(method_signature (operator_signature (binary_operator) @name.whole)) @definition.method
(method_signature (constructor_signature . name: (identifier) @name .  parameters: (_))) @definition.constructor
(method_signature (constructor_signature . name: (identifier) name: (identifier) @name)) @definition.constructor
(method_signature (factory_constructor_signature . (identifier) @name . (formal_parameter_list))) @definition.constructor
(method_signature (factory_constructor_signature . (identifier) . (identifier) @name)) @definition.constructor
(declaration (function_signature name: (identifier) @name)) @definition.method
(declaration (getter_signature name: (identifier) @name)) @definition.property
(declaration (setter_signature name: (identifier) @name)) @definition.property
(declaration (operator_signature (binary_operator) @name.whole)) @definition.method
(declaration (constructor_signature . name: (identifier) @name . parameters: (_))) @definition.constructor
(declaration (constructor_signature . name: (identifier) name: (identifier) @name)) @definition.constructor
(declaration (constant_constructor_signature (identifier) @name . (formal_parameter_list))) @definition.constructor
(declaration (initialized_identifier_list (initialized_identifier . (identifier) @name))) @definition.field
(declaration (static_final_declaration_list (static_final_declaration . (identifier) @name))) @definition.field
(program (initialized_identifier_list (initialized_identifier . (identifier) @name) @definition.variable))
(program (static_final_declaration_list (static_final_declaration . (identifier) @name) @definition.variable))
(program [(final_builtin) (const_builtin) (type_identifier) (nullable_type) (type_arguments) (inferred_type)] @from)

(import_specification (configurable_uri (uri) @import))
(library_export (configurable_uri (uri) @import))
(part_directive (uri) @import)
(import_specification (combinator (identifier) @reference.import))

(expression_statement . (identifier) @reference.call . (selector (argument_part)))
(unconditional_assignable_selector (identifier) @reference.member)
(conditional_assignable_selector (identifier) @reference.member)
(cascade_selector (identifier) @reference.member)
(qualified (identifier) @reference.member)
(annotation name: (identifier) @reference.type)
(type_identifier) @reference.type
((identifier) @reference.call . (selector (argument_part)))
(identifier) @reference.bare
