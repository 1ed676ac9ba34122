; Names are attribute paths.
(binding attrpath: (attrpath) @name) @definition.property
(binding attrpath: (attrpath) @name expression: (function_expression)) @definition.function

((apply_expression function: (variable_expression name: (identifier) @_import) argument: (_) @import)
  (#eq? @_import "import"))

((apply_expression function: (variable_expression name: (identifier) @reference.call))
  (#not-eq? @reference.call "import"))
(select_expression attrpath: (attrpath attr: (identifier) @reference.member))
(variable_expression name: (identifier) @reference.bare)
(inherited_attrs attr: (identifier) @reference.member)
