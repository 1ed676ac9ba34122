; inherits: cpp
; The grammar takes a constant buffer for a variable and a block beside it.
((declaration type: (type_identifier) @_type declarator: (identifier) @name . declarator: (_)) @definition.class
  (#any-of? @_type "cbuffer" "tbuffer"))
(translation_unit (declaration) . (compound_statement) @until)
(translation_unit (compound_statement (declaration declarator: (identifier) @name) @definition.field))
