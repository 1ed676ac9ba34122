; inherits: html
(raw_text_expr) @embedded.expression
(raw_text_each) @embedded.expression
