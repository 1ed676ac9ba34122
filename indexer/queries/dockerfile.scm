(from_instruction as: (image_alias) @name.whole) @definition.section
(arg_instruction name: (_) @name.whole) @definition.variable
(env_pair name: (_) @name.whole) @definition.variable

(from_instruction (image_spec name: (image_name) @import))
(from_instruction (image_spec name: (image_name) @reference.bare))

(variable) @reference.name
