; taken match by match
((list . (symbol) @_define . (symbol) @name.whole) @definition.variable
  (#any-of? @_define "define" "define-parameter" "define-constant" "defvar"))
((list . (symbol) @_define . (symbol) @name.whole . (list . (symbol) @_lambda)) @definition.function
  (#eq? @_define "define") (#any-of? @_lambda "lambda" "case-lambda"))
((list . (symbol) @_define . (list . (symbol) @name.whole)) @definition.function
  (#any-of? @_define "define" "define*" "define-public" "define-inline"))
((list . (symbol) @_define . [(symbol) @name.whole (list . (symbol) @name.whole)]) @definition.macro
  (#any-of? @_define "define-syntax" "define-macro" "define-syntax-rule" "defmacro"))
((list . (symbol) @_define . [(symbol) @name.whole (list . (symbol) @name.whole)]) @definition.class
  (#any-of? @_define "define-record-type" "define-structure"))
((list . (symbol) @_define . (symbol) . (_) . (_) (list . (symbol) @name.whole) @definition.field)
  (#eq? @_define "define-record-type"))
((list . (symbol) @_define . (symbol) . (list . (symbol) @name.whole) @definition.constructor)
  (#eq? @_define "define-record-type"))
((list . (symbol) @_define . (list) @name.whole) @definition.module
  (#any-of? @_define "define-library" "define-module" "library"))

; Signatures end after the parameters.
((list . (symbol) @_define . (list) . (_) @body)
  (#match? @_define "^(define(-library|-module|[*]|-syntax-rule)?|library)$"))

; Parameters and bindings look like calls.
((list . (symbol) @_define . (list (symbol) @local))
  (#match? @_define "^(define|lambda)"))
((list . (symbol) @_let . (list (list . (symbol) @local)))
  (#match? @_let "^let"))
((list . (symbol) @_let . (symbol) . (list (list . (symbol) @local)))
  (#eq? @_let "let"))

((list . (symbol) @_import (list) @import)
  (#any-of? @_import "import" "use-modules"))

((list . (symbol) @reference.call)
  (#not-match? @reference.call
    "^(define.*|library|import|export|let.*|if|cond|case|when|unless|begin|and|or|not|lambda|set!|else|only|do|[-+*/<>=_]+)$"))
(symbol) @reference.name
