; taken match by match
; The grammar knows words and blocks, no declarations: what a command means is told by the words it starts with.
((command (unit . (identifier) @_head .) . [(unit . (identifier) @name .) (block . (unit . (identifier) @name .))]) @definition.class
  (#any-of? @_head "class" "trait"))
((command (unit . (identifier) @_head .) . [(unit . (identifier) @name .) (block . (unit . (identifier) @name .))]) @definition.interface
  (#eq? @_head "interface"))
((command (unit . (identifier) @_head .) . [(unit . (identifier) @name .) (block . (unit . (identifier) @name .))]) @definition.enum
  (#eq? @_head "enum"))
((command (unit) @_before . (block . (unit . (func . (identifier) @name) .))) @definition.function
  (#not-match? @_before "^(return|assert|throw|new|else)$"))
((block (command . (block . (unit . (func . (identifier) @name) .))) @definition.constructor)
  (#match? @name "^[A-Z]"))
(source_file (command . (block . (unit . (identifier) @name .))) @definition.section)

((command . (unit . (identifier) @_import .) . (unit) @import)
  (#eq? @_import "import") (#not-eq? @import "static"))
((command . (unit . (identifier) @_import .) . (unit . (identifier) @_static .) . (unit) @import)
  (#eq? @_import "import") (#eq? @_static "static"))

(func (identifier) @reference.call)
(identifier) @reference.bare
