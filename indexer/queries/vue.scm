; inherits: html
(interpolation (raw_text) @embedded.expression)
(directive_attribute [(attribute_value) @embedded.expression (quoted_attribute_value (attribute_value) @embedded.expression)])
