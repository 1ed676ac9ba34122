; A signature and the equations below it are one function.
(purescript "module" @from name: (qualified_module) @name @definition.namespace)
(data name: (type) @name) @definition.class
(data (constructor) @name @definition.constructor)
(newtype name: (type) @name) @definition.class
(newtype_constructor (constructor) @name @definition.constructor)
(type_alias name: (type) @name) @definition.type
(type_alias name: (type) @name (record_type_literal)) @definition.class
(row_field (field_name) @name) @definition.field
(class_declaration (class_head (class_name (type) @name))) @definition.interface
(class_body (signature name: (_) @name.whole) @definition.method)
(class_instance (instance_name) @name) @scope
(purescript (signature name: (_) @name.whole) @clause.function)
(purescript (function name: (_) @name.whole) @clause.function)
(class_instance (function name: (_) @name.whole) @clause.method)
(foreign_import name: (_) @name.whole) @definition.function

(import module: (qualified_module) @import)
(import_item (var_import (variable) @reference.import))

(exp_apply . (exp_name (variable) @reference.call))
(qualified_variable (variable) @reference.member)
(exp_record_access field: (variable) @reference.member)
(type_name (type) @reference.type)
(class_name (type) @reference.type)
(exp_name (constructor) @reference.name)
(exp_name (variable) @reference.name)
