(unit (moduleName) @name) @definition.module
(program (moduleName) @name) @definition.module
(library (moduleName) @name) @definition.module
(declType name: (identifier) @name) @definition.type
(declType name: (identifier) @name type: (type (declEnum))) @definition.enum
(declType name: (identifier) @name type: (declClass)) @definition.class
(declType name: (genericTpl entity: (identifier) @name) type: (declClass)) @definition.class
(declType name: (identifier) @name type: (declIntf)) @definition.interface
(declEnumValue name: (identifier) @name) @definition.constant
(declField name: (identifier) @name) @definition.field
(declProp name: (identifier) @name) @definition.property
(declClass (declProc (kConstructor) name: (identifier) @name) @definition.constructor)
(declSection (declProc (kConstructor) name: (identifier) @name) @definition.constructor)
(declClass (declProc name: (identifier) @name) @definition.method)
(declSection (declProc name: (identifier) @name) @definition.method)
(declIntf (declProc name: (identifier) @name) @definition.method)
(defProc header: (declProc name: (_) @name)) @definition.function
(declConst name: (identifier) @name) @definition.constant
(declVar name: (identifier) @name) @definition.variable

(declUses (moduleName) @import)

(exprCall entity: (identifier) @reference.call)
(exprCall entity: (exprDot rhs: (identifier) @reference.member))
(exprDot rhs: (identifier) @reference.member)
(typeref (identifier) @reference.type)
(identifier) @reference.bare
