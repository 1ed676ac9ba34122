(section headline: (headline item: (item) @name.whole)) @definition.section
