((block . (identifier) @_head . (string_lit (template_literal) @name.whole) . (block_start)) @definition.section
  (#not-match? @_head "^(variable|output|module)$"))
((block . (identifier) @_head . (string_lit (template_literal) @name.whole) . (block_start)) @definition.variable
  (#any-of? @_head "variable" "output"))
((block . (identifier) @_head . (string_lit (template_literal) @name.whole) . (block_start)) @definition.module
  (#eq? @_head "module"))
(block
  . (identifier)
  . (string_lit (template_literal) @parent)
  . (string_lit (template_literal) @name.whole)
  . (block_start)) @definition.class
((config_file (body (block . (identifier) @name.whole . (block_start)) @definition.section))
  (#not-eq? @name.whole "locals"))
((block . (identifier) @_head . (block_start) (body (attribute . (identifier) @name.whole) @definition.variable))
  (#eq? @_head "locals"))
(config_file (body (attribute . (identifier) @name.whole) @definition.variable))

((block
  . (identifier) @_module
  (body (attribute . (identifier) @_source . (expression (literal_value (string_lit (template_literal) @import))))))
  (#eq? @_module "module") (#eq? @_source "source"))

(function_call . (identifier) @reference.call)
(get_attr (identifier) @reference.member)
