"pub" @from
(Decl (VarDecl "const" . variable_type_function: (IDENTIFIER) @name)) @definition.constant
(Decl (VarDecl "var" . variable_type_function: (IDENTIFIER) @name)) @definition.variable
(Decl (VarDecl
  variable_type_function: (IDENTIFIER) @name
  (ErrorUnionExpr (SuffixExpr (ContainerDecl (ContainerDeclType ["struct" "union" "opaque"])))))) @definition.class
((Decl (VarDecl
  variable_type_function: (IDENTIFIER) @name
  (ErrorUnionExpr (SuffixExpr (ContainerDecl (ContainerDeclType) @_type))))) @definition.enum
  (#match? @_type "^enum"))
(Decl (VarDecl variable_type_function: (IDENTIFIER) @name (ErrorUnionExpr (SuffixExpr (ErrorSetDecl))))) @definition.enum
(ErrorSetDecl field_constant: (IDENTIFIER) @name @definition.constant)
(ContainerField field_member: (IDENTIFIER) @name) @definition.field
(ContainerDecl
  (ContainerDeclType ["enum" "union"])
  (ContainerField (ErrorUnionExpr (SuffixExpr . variable_type_function: (IDENTIFIER) @name .))) @definition.constant)
; A function that returns a type is how generic structs are written.
((Decl (FnProto function: (IDENTIFIER) @name (ErrorUnionExpr) @_result .) (Block) @body) @definition.class
  (#eq? @_result "type"))
((Decl (FnProto function: (IDENTIFIER) @name (ErrorUnionExpr) @_result .) (Block)? @body) @definition.function
  (#not-eq? @_result "type"))
(TestDecl (STRINGLITERALSINGLE) @name.whole (Block) @body) @definition.function

((SuffixExpr
  (BUILTINIDENTIFIER) @_import
  (FnCallArguments (ErrorUnionExpr (SuffixExpr (STRINGLITERALSINGLE) @import))))
  (#any-of? @_import "@import" "@cImport" "@embedFile"))
((Decl
  (VarDecl
    variable_type_function: (IDENTIFIER) @name
    (ErrorUnionExpr (SuffixExpr . (BUILTINIDENTIFIER) @_import)))) @definition.import
  (#eq? @_import "@import"))
; A name for what has that name elsewhere.
((Decl
  (VarDecl
    variable_type_function: (IDENTIFIER) @name @reference.import
    (ErrorUnionExpr (SuffixExpr (FieldOrFnCall field_access: (IDENTIFIER) @_last) .)))) @definition.import
  (#eq? @name @_last))

(SuffixExpr . variable_type_function: (IDENTIFIER) @reference.call . (FnCallArguments))
(FieldOrFnCall function_call: (IDENTIFIER) @reference.call)
(FieldOrFnCall field_access: (IDENTIFIER) @reference.member)
(SuffixExpr "error" field_constant: (IDENTIFIER) @reference.member)
(SuffixExpr variable_type_function: (IDENTIFIER) @reference.name)
