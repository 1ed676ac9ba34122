(const_section (variable_declaration (symbol_declaration_list (symbol_declaration name: [
  (identifier) @name (exported_symbol (identifier) @name)]))) @definition.constant)
(source_file [
  (let_section (variable_declaration (symbol_declaration_list (symbol_declaration name: [
    (identifier) @name (exported_symbol (identifier) @name)]))) @definition.variable)
  (var_section (variable_declaration (symbol_declaration_list (symbol_declaration name: [
    (identifier) @name (exported_symbol (identifier) @name)]))) @definition.variable)
])
(proc_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.function
(func_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.function
(method_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.function
(iterator_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.function
(converter_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.function
(template_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.macro
(macro_declaration name: [(identifier) @name.whole (accent_quoted) @name.whole (exported_symbol [(identifier) (accent_quoted)] @name.whole)] body: (_)? @body) @definition.macro
(type_declaration (type_symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])) @definition.type
(type_declaration
  (type_symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
  [(object_declaration) (ref_type (object_declaration)) (pointer_type (object_declaration)) (tuple_type)]) @definition.class
(type_declaration
  (type_symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
  (enum_declaration)) @definition.enum
(type_declaration
  (type_symbol_declaration name: [(identifier) @name (exported_symbol (identifier) @name)])
  (concept_declaration)) @definition.interface
(enum_field_declaration (symbol_declaration name: (identifier) @name)) @definition.constant
(field_declaration (symbol_declaration_list (symbol_declaration name: [
  (identifier) @name (exported_symbol (identifier) @name)]))) @definition.field

(import_statement (expression_list (_) @import))
(import_from_statement module: (_) @import)
(import_from_statement (expression_list (identifier) @reference.import))
(include_statement (expression_list (_) @import))

(call function: (identifier) @reference.call)
(dot_expression right: (identifier) @reference.member)
(type_expression (identifier) @reference.type)
(identifier) @reference.bare
