(function_statement (function_name) @name (script_block) @body) @definition.function
(class_statement . (simple_name) @name) @definition.class
(class_method_definition (simple_name) @name) @definition.method
(class_property_definition (variable) @name.sigil) @definition.property
(enum_statement . (simple_name) @name) @definition.enum
(enum_member . (simple_name) @name) @definition.constant
((program (statement_list (pipeline (assignment_expression (left_assignment_expression
  (logical_expression (bitwise_expression (comparison_expression (additive_expression (multiplicative_expression
    (format_expression (range_expression (array_literal_expression (unary_expression (variable) @name.sigil))))))))))))
  @definition.variable)
  (#not-match? @name.sigil "^[$](null|_)$")))

((command command_name: (command_name) @_using command_elements: (command_elements (generic_token) @import .))
  (#match? @_using "^([uU]sing|[iI]mport-[mM]odule)$"))
((command (command_invokation_operator) @_dot command_name: (command_name_expr (_) @import))
  (#eq? @_dot "."))

((command command_name: (command_name) @reference.call)
  (#not-match? @reference.call "^([uU]sing|[iI]mport-[mM]odule|param)$"))
(member_name (simple_name) @reference.member)
(class_statement (simple_name) . (simple_name) @reference.type)
(type_identifier) @reference.type
