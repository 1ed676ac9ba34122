; The keys of two levels; entries of a list at the top by their name, as in a playbook.
((document (block_node (block_mapping (block_mapping_pair key: (_) @name.whole) @structure.property)))
  (#not-eq? @name.whole "<<"))
((document (block_node (block_mapping (block_mapping_pair
  value: (block_node (block_mapping (block_mapping_pair key: (_) @name.whole) @structure.property))))))
  (#not-eq? @name.whole "<<"))
((document (block_node (block_sequence (block_sequence_item
  (block_node (block_mapping (block_mapping_pair key: (_) @_key value: (_) @name.whole)))) @structure.section)))
  (#eq? @_key "name"))
