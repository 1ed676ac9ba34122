; taken match by match
(list_lit (defun (defun_header
  keyword: (defun_keyword ["defun" "defgeneric" "defmethod"])
  function_name: (_) @name.whole))) @definition.function
(list_lit (defun (defun_header keyword: (defun_keyword "defmacro") function_name: (_) @name.whole))) @definition.macro
((list_lit . value: (sym_lit) @_head . value: (sym_lit) @name.whole) @definition.variable
  (#any-of? @_head "defvar" "defparameter" "defconstant" "define-symbol-macro"))
((list_lit . value: (sym_lit) @_head . value: [(sym_lit) @name.whole (list_lit . value: (sym_lit) @name.whole)]) @definition.class
  (#any-of? @_head "defstruct" "defclass" "define-condition"))
((list_lit
  . value: (sym_lit) @_head
  . value: (sym_lit)
  . value: (list_lit)
  . value: (list_lit value: [(sym_lit) @name.whole @definition.field (list_lit . value: (sym_lit) @name.whole) @definition.field]))
  (#any-of? @_head "defclass" "define-condition"))
((list_lit . value: (sym_lit) @_head . value: (sym_lit) @name.whole) @definition.type
  (#eq? @_head "deftype"))
((list_lit . value: (sym_lit) @_head . value: (kwd_lit (kwd_symbol) @name.whole)) @definition.module
  (#eq? @_head "defpackage"))
((list_lit . value: (sym_lit) @_head . value: (_) value: [
  (sym_lit) @name.whole @definition.field
  (list_lit . value: (sym_lit) @name.whole) @definition.field
])
  (#eq? @_head "defstruct"))

; Signatures end where the code or the slots start.
(defun (defun_header) . value: (_) @body)
((list_lit . value: (sym_lit) @_head . value: (sym_lit) . value: (list_lit) . value: (list_lit) @body)
  (#any-of? @_head "defclass" "define-condition"))

; Parameters and bindings look like calls.
(defun_header lambda_list: (list_lit value: [(sym_lit) @local (list_lit . value: (sym_lit) @local)]))
((list_lit . value: (sym_lit) @_let . value: (list_lit value: (list_lit . value: (sym_lit) @local)))
  (#match? @_let "^let"))
((list_lit . value: (sym_lit) @_flet . value: (list_lit value: (list_lit value: (list_lit value: (sym_lit) @local))))
  (#any-of? @_flet "flet" "labels" "macrolet"))

((list_lit value: (kwd_lit (kwd_symbol) @_use) value: (kwd_lit (kwd_symbol) @import))
  (#eq? @_use "use"))

((list_lit . value: (sym_lit) @reference.call)
  (#not-match? @reference.call
    "^(def.*|in-package|let[*]?|if|when|unless|cond|case|setf|setq|flet|labels|lambda|and|or|not|progn|loop|[-+*/<>=1]+)$"))
(sym_lit) @reference.name
