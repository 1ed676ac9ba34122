(module_attribute name: (atom) @name.whole) @definition.namespace
(spec fun: (atom) @name.whole) @clause.function
(fun_decl clause: (function_clause name: (atom) @name.whole body: (_) @body)) @clause.function
(record_decl name: (atom) @name.whole fields: (_)? @body) @definition.class
(record_decl fields: (record_field name: (atom) @name.whole) @definition.field)
(type_alias name: (type_name name: (atom) @name.whole)) @definition.type
(opaque name: (type_name name: (atom) @name.whole)) @definition.type
(callback fun: (atom) @name.whole) @definition.method
(pp_define lhs: (macro_lhs name: (_) @name.whole)) @definition.macro

(pp_include file: (string) @import)
(pp_include_lib file: (string) @import)
(import_attribute module: (atom) @import)
(import_attribute funs: (fa fun: (atom) @reference.import))
(behaviour_attribute name: (atom) @import)

(export_attribute funs: (fa fun: (atom) @reference.call))
(call expr: (atom) @reference.call)
(remote fun: (atom) @reference.member)
(internal_fun fun: (atom) @reference.call)
(external_fun fun: (atom) @reference.member)
(macro_call_expr name: (_) @reference.call)
(record_name name: (atom) @reference.type)
