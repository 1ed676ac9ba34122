; What has an id is a place that can be linked to; inline elements with one are too many and too small.
((element
  (start_tag
    (tag_name) @_tag
    (attribute
      (attribute_name) @_id
      [(attribute_value) @name.whole (quoted_attribute_value (attribute_value) @name.whole)]))) @definition.section
  (#eq? @_id "id")
  (#any-of? @_tag
    "article" "aside" "body" "details" "dialog" "div" "dl" "fieldset" "figure" "footer" "form" "h1" "h2" "h3" "h4" "h5"
    "h6" "header" "main" "nav" "ol" "section" "table" "template" "ul"))
((element
  (start_tag (tag_name) @_tag)
  . [(text) @name.whole (element (start_tag) . (text) @name.whole)]) @definition.section
  (#any-of? @_tag "h1" "h2" "h3" "h4" "h5" "h6"))

((script_element
  (start_tag (attribute
    (attribute_name) @_src
    [(attribute_value) @import (quoted_attribute_value (attribute_value) @import)])))
  (#eq? @_src "src"))

; Custom elements and components.
((start_tag (tag_name) @reference.type)
  (#match? @reference.type "^[A-Z]|-"))
((self_closing_tag (tag_name) @reference.type)
  (#match? @reference.type "^[A-Z]|-"))

(script_element (raw_text) @embedded.script)
(style_element (raw_text) @embedded.style)
