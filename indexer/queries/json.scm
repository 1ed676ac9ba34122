; The keys of two levels.
(document (object (pair key: (_) @name.whole) @structure.property))
(document (object (pair value: (object (pair key: (_) @name.whole) @structure.property))))
