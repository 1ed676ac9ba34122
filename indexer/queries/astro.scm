; inherits: html
(frontmatter (frontmatter_js_block) @embedded.typescript)
(html_interpolation (permissible_text) @embedded.expression)
