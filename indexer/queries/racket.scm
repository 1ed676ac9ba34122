; taken match by match
((list . (symbol) @_define . (symbol) @name.whole) @definition.variable
  (#any-of? @_define "define" "define-parameter"))
((list . (symbol) @_define . (symbol) @name.whole . (list . (symbol) @_lambda)) @definition.function
  (#eq? @_define "define") (#any-of? @_lambda "lambda" "case-lambda" "λ"))
((list . (symbol) @_define . (symbol) @name.whole . (list . (symbol) @_class)) @definition.class
  (#eq? @_define "define") (#any-of? @_class "class" "class*" "mixin"))
((list . (symbol) @_define . (list . [(symbol) @name.whole (list . (symbol) @name.whole)])) @definition.function
  (#match? @_define "^define(/contract|/match|/public|/override|/private|/memo)?$"))
((list . (symbol) @_define . (list (symbol) @name.whole)) @definition.variable
  (#eq? @_define "define-values"))
((list . (symbol) @_define . [(symbol) @name.whole (list . (symbol) @name.whole)]) @definition.macro
  (#any-of? @_define "define-syntax" "define-syntax-rule" "define-simple-macro" "define-syntax-parser"))
((list . (symbol) @_struct . (symbol) @name.whole) @definition.class
  (#any-of? @_struct "struct" "define-struct"))
((list . (symbol) @_struct . (symbol) . (list [(symbol) @name.whole @definition.field (list . (symbol) @name.whole) @definition.field]))
  (#any-of? @_struct "struct" "define-struct"))
((list . (symbol) @_init [(symbol) @name.whole @definition.field (list . (symbol) @name.whole) @definition.field])
  (#any-of? @_init "init-field" "field"))
((list . (symbol) @_module . (symbol) @name.whole) @definition.module
  (#any-of? @_module "module" "module+" "module*"))

; Signatures end after the parameters.
((list . (symbol) @_define . (list) . (_) @body)
  (#match? @_define "^define"))

; Parameters and bindings look like calls.
((list . (symbol) @_define . (list (symbol) @local))
  (#match? @_define "^(define|lambda)"))
((list . (symbol) @_let . (list (list . (symbol) @local)))
  (#match? @_let "^let"))
((list . (symbol) @_let . (symbol) . (list (list . (symbol) @local)))
  (#eq? @_let "let"))

((list . (symbol) @_require [
  (symbol) @import
  (string) @import
  (list . (symbol) @_only . [(symbol) (string)] @import)
])
  (#eq? @_require "require") (#not-eq? @import "require"))

((list . (symbol) @reference.call)
  (#not-match? @reference.call
    "^(define.*|struct|module.?|require|provide|let.*|if|cond|case|when|unless|begin|and|or|not|lambda|set!|else|class|init-field|only-in|[-+*/<>=_]+)$"))
(symbol) @reference.name
