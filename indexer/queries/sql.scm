(create_table (object_reference schema: (_)? @parent name: (_) @name.whole) (column_definitions)? @body) @definition.class
(column_definition name: (_) @name.whole) @definition.field
(alter_table (object_reference schema: (_)? @parent name: (_) @name.whole) (add_column)) @scope
(create_view (object_reference schema: (_)? @parent name: (_) @name.whole)) @definition.class
(create_materialized_view (object_reference schema: (_)? @parent name: (_) @name.whole)) @definition.class
(create_function (object_reference name: (_) @name.whole) (function_body) @body) @definition.function
; Of what is written in a dialect, the head is still known.
(ERROR (keyword_create) (keyword_function) . (object_reference name: (_) @name.whole)) @definition.function
((ERROR (keyword_create) (keyword_function)) . [(block) (transaction)] @until)
(create_trigger (keyword_trigger) . (object_reference name: (_) @name.whole)) @definition.function
(create_index column: (identifier) @name) @definition.variable
(create_sequence (object_reference schema: (_)? @parent name: (_) @name.whole)) @definition.variable
(create_type (object_reference schema: (_)? @parent name: (_) @name.whole)) @definition.type
(create_schema (identifier) @name) @definition.module
(cte (identifier) @name) @definition.variable

(object_reference name: (identifier) @reference.type)
(invocation (object_reference name: (identifier) @reference.call))
(field name: (identifier) @reference.name)
