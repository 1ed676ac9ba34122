(function_definition name: (symbol) @name.whole) @definition.function
(macro_definition name: (symbol) @name.whole) @definition.macro
(special_form ["defvar" "defconst"] . (symbol) @name.whole) @definition.variable
(special_form "defconst" . (symbol) @name.whole) @definition.constant
((list . (symbol) @_head . (symbol) @name.whole) @definition.variable
  (#any-of? @_head "defcustom" "defvar-local" "defvar-keymap" "defface" "defvaralias"))
((list . (symbol) @_head . [(symbol) @name.whole (list . (symbol) @name.whole)]) @definition.class
  (#any-of? @_head "cl-defstruct" "defclass"))
((list . (symbol) @_head . (symbol) @name.whole) @definition.function
  (#match? @_head "^(cl-(defun|defgeneric|defmethod|defsubst)|defsubst|define-(minor|derived|globalized-minor)-mode|ert-deftest)$"))
((list . (symbol) @_head . (symbol) @name.whole) @definition.macro
  (#any-of? @_head "cl-defmacro" "define-inline"))
((list . (symbol) @_head . (quote (symbol) @name.whole)) @definition.function
  (#any-of? @_head "defalias"))
((list . (symbol) @_head . (symbol) @name.whole) @definition.section
  (#eq? @_head "defgroup"))
((list . (symbol) @_head . (symbol) . (list) . (list (list . (symbol) @name.whole) @definition.field))
  (#eq? @_head "defclass"))
((list . (symbol) @_head . (_) (symbol) @name.whole @definition.field)
  (#eq? @_head "cl-defstruct"))

; Signatures end after the parameters.
(function_definition parameters: (_) . (_) @body)
(macro_definition parameters: (_) . (_) @body)
((list . (symbol) @_head . (symbol) . (list) . (_) @body)
  (#match? @_head "^cl-def(un|method|macro|subst)$"))

; Parameters and bindings look like calls.
(function_definition parameters: (list (symbol) @local))
(macro_definition parameters: (list (symbol) @local))
((list . (symbol) @_head . (symbol) . (list [(symbol) @local (list . (symbol) @local)]))
  (#match? @_head "^cl-def"))
(special_form ["let" "let*"] . (list (list . (symbol) @local)))

((list . (symbol) @_require . (quote (symbol) @import))
  (#eq? @_require "require"))

((list . (symbol) @reference.call)
  (#not-match? @reference.call
    "^(require|provide|defgroup|defcustom|defalias|cl-def.*|define-.*|setq|when|unless|not|[-+*/<>=]+)$"))
(quote (symbol) @reference.name)
(symbol) @reference.name
