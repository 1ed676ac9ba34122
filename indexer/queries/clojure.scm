; Every form is a list; the symbol at its head tells what it defines.
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.namespace
  (#any-of? @_head "ns" "in-ns"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.variable
  (#any-of? @_head "def" "defonce"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.function
  (#any-of? @_head "defn" "defn-" "defmulti" "defmethod" "deftest" "definline" "defspec" "s/defn" "defn-spec"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.macro
  (#any-of? @_head "defmacro"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.interface
  (#any-of? @_head "defprotocol" "definterface"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @definition.class
  (#any-of? @_head "defrecord" "deftype"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit name: (sym_name) @name.whole)) @scope
  (#any-of? @_head "extend-type" "extend-protocol"))
((list_lit . value: (sym_lit name: (sym_name) @_head)
  . value: (sym_lit)
  . value: (vec_lit value: (sym_lit name: (sym_name) @name.whole) @definition.field))
  (#any-of? @_head "defrecord" "deftype"))
((list_lit . value: (sym_lit name: (sym_name) @_head)
  . value: (sym_lit)
  value: (list_lit . value: (sym_lit name: (sym_name) @name.whole) . value: [(vec_lit) (list_lit)]) @definition.method)
  (#any-of? @_head "defprotocol" "definterface" "defrecord" "deftype" "extend-type" "extend-protocol"))
; Signatures end where the code or the members start.
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit) value: (vec_lit) . value: (_) @body)
  (#match? @_head "^def(n|macro|method|record|type)"))
((list_lit . value: (sym_lit name: (sym_name) @_head) . value: (sym_lit) value: (list_lit) @body)
  (#match? @_head "^(ns|def(n|macro|protocol|interface|test).*)$"))

((list_lit
  . value: (sym_lit name: (sym_name) @_head)
  value: (list_lit . value: (kwd_lit) @_require value: [
    (sym_lit) @import
    (vec_lit . value: (sym_lit) @import)
  ]))
  (#eq? @_head "ns") (#any-of? @_require ":require" ":use" ":require-macros"))
((list_lit
  . value: (sym_lit name: (sym_name) @_head)
  value: (list_lit . value: (kwd_lit) @_import value: [
    (sym_lit) @import
    (list_lit . value: (sym_lit) @import)
    (vec_lit . value: (sym_lit) @import)
  ]))
  (#eq? @_head "ns") (#eq? @_import ":import"))
((vec_lit value: (kwd_lit) @_refer . value: (vec_lit value: (sym_lit name: (sym_name) @reference.import)))
  (#eq? @_refer ":refer"))

((list_lit . value: (sym_lit name: (sym_name) @reference.call))
  (#not-match? @reference.call "^(ns|def|defonce|defn|defn-|defmacro|defmulti|defmethod|defprotocol|defrecord|deftype|deftest|let|if|if-let|if-not|when|when-let|when-not|do|fn|loop|recur|cond|case|and|or|not|quote|extend-type|extend-protocol|reify|declare|comment|for|doseq|->|->>|=|[+]|-|[*]|/|<|>|<=|>=|is|try|catch|throw|new|set!|var)$"))
(sym_name) @reference.name
