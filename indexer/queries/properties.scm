(property (key) @name.whole) @structure.property
