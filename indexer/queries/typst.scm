(section (heading (text) @name.whole)) @definition.section
(source_file (code (let pattern: (ident) @name) @definition.variable))
(let pattern: (call item: (ident) @name)) @definition.function

(import import: (string) @import)
(include (string) @import)
(binding (ident) @reference.import)

(call item: (ident) @reference.call)
(ident) @reference.name
