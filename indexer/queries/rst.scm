(section (title) @name.whole) @definition.section
(section . "adornment" @lead . (title))
