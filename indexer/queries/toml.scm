(document (pair . (_) @name.whole) @structure.property)
(table . (_) @name.whole) @structure.section
(table_array_element . (_) @name.whole) @structure.section
(table (pair . (_) @name.whole) @structure.property)
(table_array_element (pair . (_) @name.whole) @structure.property)
