; definitions
(class_definition name: (identifier) @name) @definition.class
(function_definition name: (identifier) @name) @definition.function
(module (assignment left: (identifier) @name) @definition.variable)
(module (assignment left: (pattern_list (identifier) @name)) @definition.variable)
(module (assignment left: (tuple_pattern (identifier) @name)) @definition.variable)
(module (if_statement (block (assignment left: (identifier) @name) @definition.variable)))
(module (if_statement (_ (block (assignment left: (identifier) @name) @definition.variable))))
(module (try_statement (block (assignment left: (identifier) @name) @definition.variable)))
(module (try_statement (_ (block (assignment left: (identifier) @name) @definition.variable))))
(class_definition body: (block (assignment left: (identifier) @name) @definition.field))
(type_alias_statement left: (type (identifier) @name)) @definition.type

; imports
(import_statement name: (dotted_name) @import)
(import_statement name: (dotted_name (identifier) @reference.import))
(import_statement name: (aliased_import name: (dotted_name) @import alias: (identifier) @reference.import))
(import_from_statement module_name: (_) @import)
(import_from_statement name: (dotted_name (identifier) @reference.import))
(import_from_statement name: (aliased_import
  name: (dotted_name (identifier) @reference.import) alias: (identifier) @reference.import))

; references
(call function: (identifier) @reference.call)
(attribute attribute: (identifier) @reference.member)
(type (identifier) @reference.type)
(identifier) @reference.name
