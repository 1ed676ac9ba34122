--- Taking a suggestion or its next part: one step of undo, nothing of it left to indenting or abbreviations.
local api = vim.api
local ghost = require("codemoat.ghost")
local M = {}

--- The next word: blanks and line breaks before it, then letters, or signs.
function M.word(text)
  return text:match("^%s*[%w_\128-\255]+") or text:match("^%s*[^%w_%s\128-\255]+") or text
end

--- The rest of the line; where nothing is left of it, the next one.
function M.line(text)
  return text:match("^\n*[^\n]+") or text
end

--- Insert through the typeahead: mappings with `expr` may not change text themselves, and only as keys can a step of
--- undo begin in insert mode.
---@param part "all"|"word"|"line"
---@return boolean whether there is a suggestion
function M.start(part)
  if not ghost.rest() then
    return false
  end
  local keys = ("<C-g>u<Cmd>lua require('codemoat.accept').insert('%s')<CR><C-g>u"):format(part)
  api.nvim_feedkeys(vim.keycode(keys), "in", false)
  return true
end

---@param part "all"|"word"|"line"
function M.insert(part)
  local shown = ghost.sync() and ghost.shown()
  if not shown then
    return
  end
  local item, rest = shown.items[shown.index], shown.rest
  local text = part == "all" and rest or M[part](rest)
  local whole = text == rest
  local row, col = unpack(api.nvim_win_get_cursor(0))
  local lines = vim.split(text, "\n", { plain = true })
  if whole then
    ghost.drop("accepted")
  end
  api.nvim_buf_set_text(0, row - 1, col, row - 1, col + (whole and #item.replaced or 0), lines)
  api.nvim_win_set_cursor(0, { row + #lines - 1, #lines == 1 and col + #text or #lines[#lines] })
  if not whole then
    ghost.took(vim.fn.strchars(text))
  end
end

return M
