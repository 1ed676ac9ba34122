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

--- Put text at the cursor in the place of what stands behind it, and go on behind it.
---@param text string
---@param replaced integer bytes
local function put(text, replaced)
  local row, col = unpack(api.nvim_win_get_cursor(0))
  local lines = vim.split(text, "\n", { plain = true })
  api.nvim_buf_set_text(0, row - 1, col, row - 1, col + replaced, lines)
  api.nvim_win_set_cursor(0, { row + #lines - 1, #lines == 1 and col + #text or #lines[#lines] })
end

--- Insert through the typeahead: mappings with `expr` may not change text themselves, and only as keys can a step of
--- undo begin in insert mode.
---@param part "all"|"word"|"line"
---@return boolean whether there is a suggestion
function M.start(part)
  local native = require("codemoat.native")
  if native.on(api.nvim_get_current_buf()) then
    return native.accept(part)
  end
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
  if whole then
    ghost.drop("accepted")
  end
  put(text, whole and #item.replaced or 0)
  if not whole then
    ghost.took(vim.fn.strchars(text))
  end
end

--- The same for what the editor draws itself. It takes that off the screen before it calls this.
---@param item table of vim.lsp.inline_completion, made for a place at or before the cursor
---@param part "all"|"word"|"line"
function M.native(item, part)
  local cursor = api.nvim_win_get_cursor(0)
  local row, col, replaced = cursor[1] - 1, cursor[2], 0
  local rest = item.insert_text
  if item.range then
    local first_row, first_col, last_row, last_col = item.range:to_extmark()
    if first_row ~= row or first_col > col or last_row ~= row then
      return
    end
    local typed = api.nvim_get_current_line():sub(first_col + 1, col)
    if rest:sub(1, #typed) ~= typed then
      return
    end
    rest, replaced = rest:sub(#typed + 1), last_col - first_col
  end
  local text = part == "all" and rest or M[part](rest)
  -- This closes a step of undo, as <C-g>u does in typed keys.
  vim.cmd("let &g:undolevels = &g:undolevels")
  put(text, text == rest and replaced or 0)
  vim.cmd("let &g:undolevels = &g:undolevels")
  local client = text == rest and item.command and vim.lsp.get_client_by_id(item.client_id)
  if client then
    client:exec_cmd(item.command, { bufnr = api.nvim_get_current_buf() })
  end
end

return M
