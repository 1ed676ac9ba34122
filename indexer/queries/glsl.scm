; inherits: c
; Uniform blocks.
(declaration . "uniform" . (identifier) @name . (field_declaration_list)) @definition.class
(declaration . "buffer" . (identifier) @name . (field_declaration_list)) @definition.class
