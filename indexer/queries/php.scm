(namespace_definition name: (_) @name) @definition.namespace
(class_declaration name: (name) @name) @definition.class
(interface_declaration name: (name) @name) @definition.interface
(trait_declaration name: (name) @name) @definition.class
(enum_declaration name: (name) @name) @definition.enum
(enum_case name: (name) @name) @definition.constant
(function_definition name: (name) @name) @definition.function
(method_declaration name: (name) @name) @definition.method
(property_element name: (variable_name (name) @name)) @definition.field
(property_promotion_parameter name: (variable_name (name) @name)) @definition.field
(const_element . (name) @name) @definition.constant
((function_call_expression
  function: (name) @_function
  arguments: (arguments . (argument (_ (string_content) @name)))) @definition.constant
  (#eq? @_function "define"))

(namespace_use_clause . [(qualified_name) (name)] @import)
(namespace_use_declaration (namespace_name) @import)
(namespace_use_clause (qualified_name (name) @reference.import))
(namespace_use_clause alias: (name) @reference.import)
(require_once_expression (_ (string_content) @import))
(require_expression (_ (string_content) @import))
(include_once_expression (_ (string_content) @import))
(include_expression (_ (string_content) @import))

(function_call_expression function: (name) @reference.call)
(function_call_expression function: (qualified_name (name) @reference.call))
(member_call_expression name: (name) @reference.call)
(nullsafe_member_call_expression name: (name) @reference.call)
(scoped_call_expression name: (name) @reference.call)
(object_creation_expression (name) @reference.call)
(member_access_expression name: (name) @reference.member)
(nullsafe_member_access_expression name: (name) @reference.member)
(class_constant_access_expression (_) (name) @reference.member)
(named_type (name) @reference.type)
(attribute (name) @reference.type)
(name) @reference.name
