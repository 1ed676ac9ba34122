(model_block (identifier) @name) @definition.class
(model_field field_name: (identifier) @name) @definition.field
(enum_block . (identifier) @name) @definition.enum
(enum_block . (identifier) (identifier) @name @definition.constant)
(key_value_block . (identifier) @name) @definition.section

(non_null_type (identifier) @reference.type)
(apply_function name: (identifier) @reference.call)
