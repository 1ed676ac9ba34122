; What a damaged rule leaves is no selector.
((rule_set (selectors) @name.whole) @definition.section
  (#not-match? @name.whole ";|//|[^#][{]"))
(keyframes_statement (keyframes_name) @name.whole) @definition.section
((declaration (property_name) @name.whole) @definition.property
  (#match? @name.whole "^--"))

(import_statement [(string_value) @import (call_expression (arguments [(string_value) (plain_value)] @import))])

((plain_value) @reference.member
  (#match? @reference.member "^--"))
