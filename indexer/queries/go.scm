(function_declaration name: (identifier) @name) @definition.function
(method_declaration name: (field_identifier) @name) @definition.method
(method_declaration
  receiver: (parameter_list
    (parameter_declaration
      type: [(type_identifier) @parent
             (generic_type type: (type_identifier) @parent)
             (pointer_type (type_identifier) @parent)
             (pointer_type (generic_type type: (type_identifier) @parent))])))
(type_spec name: (type_identifier) @name) @definition.type
(type_spec name: (type_identifier) @name type: (struct_type)) @definition.class
(type_spec name: (type_identifier) @name type: (interface_type)) @definition.interface
(type_alias name: (type_identifier) @name) @definition.type
(field_declaration name: (field_identifier) @name) @definition.field
(method_elem name: (field_identifier) @name) @definition.method
(const_spec name: (identifier) @name) @definition.constant
(var_spec name: (identifier) @name) @definition.variable

(import_spec path: (_) @import)

(call_expression function: (identifier) @reference.call)
(selector_expression field: (field_identifier) @reference.member)
(type_identifier) @reference.type
(identifier) @reference.name
