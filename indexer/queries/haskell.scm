; A signature and the equations below it are one function.
(header module: (module) @name) @definition.namespace
(data_type name: (name) @name) @definition.class
(newtype name: (name) @name) @definition.class
(data_constructor (record name: (constructor) @name @definition.constructor))
(data_constructor (prefix name: (constructor) @name)) @definition.constructor
(data_constructor (infix operator: (_) @name.whole)) @definition.constructor
(gadt_constructor name: (constructor) @name) @definition.constructor
(newtype_constructor name: (constructor) @name @definition.constructor)
(field name: (field_name) @name.whole) @definition.field
(type_synomym name: (name) @name) @definition.type
(type_family name: (name) @name) @definition.type
(data_family name: (name) @name) @definition.type
(class name: (name) @name) @definition.interface
(class_declarations (signature name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @definition.method)
(class_declarations (signature names: (binding_list name: [(variable) @name.whole (prefix_id (_) @name.whole)])) @each.method)
(instance patterns: (type_patterns . [
  (name) @name
  (parens (apply constructor: (name) @name))
  (parens (apply constructor: (apply constructor: (name) @name)))
])) @scope
(instance name: (name) @name patterns: (type_patterns . [(list) (tuple) (unit) (variable) (function) (parens (function))])) @scope
(declarations (signature name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @clause.function)
(declarations (function name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @clause.function)
(declarations (function (infix operator: [(operator) (infix_id (variable))] @name.whole)) @clause.function)
(declarations (bind name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @clause.function)
(instance_declarations (function name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @clause.method)
(instance_declarations (function (infix operator: [(operator) (infix_id (variable))] @name.whole)) @clause.method)
(instance_declarations (bind name: [(variable) @name.whole (prefix_id (_) @name.whole)]) @clause.method)

(import module: (module) @import)
(import_name [(variable) (name)] @reference.import)

(apply function: (variable) @reference.call)
(qualified id: (_) @reference.member)
(name) @reference.type
(constructor) @reference.type
(operator) @reference.name
(variable) @reference.name
