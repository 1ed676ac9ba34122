(section (section_name (text) @name.whole)) @structure.section
(setting . (setting_name) @name.whole) @structure.property
