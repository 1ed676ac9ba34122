((rule (targets (word) @name.whole)) @each.function
  (#not-match? @name.whole "^[.]"))
((variable_assignment name: (word) @name.whole operator: _ @_operator) @definition.variable
  (#not-eq? @_operator "+="))
(define_directive name: (word) @name.whole) @definition.macro

(include_directive filenames: (list (word) @import))

(prerequisites (word) @reference.bare)
(variable_reference (word) @reference.name)
