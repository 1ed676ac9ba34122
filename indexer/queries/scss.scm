; What a damaged rule leaves is no selector.
((rule_set (selectors) @name.whole) @definition.section
  (#not-match? @name.whole ";|//|[^#][{]"))
(keyframes_statement (keyframes_name) @name.whole) @definition.section
((declaration (property_name) @name.whole) @definition.property
  (#match? @name.whole "^--"))
((stylesheet (declaration (property_name) @name.whole) @definition.variable)
  (#match? @name.whole "^[$]"))
(mixin_statement name: (_) @name.whole) @definition.macro
(function_statement name: (_) @name.whole) @definition.function

(import_statement (string_value) @import)
(use_statement (string_value) @import)
(forward_statement (string_value) @import)

(include_statement . (identifier) @reference.call)
(call_expression (function_name) @reference.call)
(variable) @reference.name
((plain_value) @reference.member
  (#match? @reference.member "^--"))
