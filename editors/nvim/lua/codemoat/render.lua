--- Draws a suggestion at the cursor as virtual text. One mark is moved and changed, never taken away and set again.
local api = vim.api
local M = {}

local namespace = api.nvim_create_namespace("codemoat.ghost")
local INLINE, REPLACED = 1, 2
require("codemoat.highlight").keep()

local window

--- Only the window that is typed in shows it, where this Neovim can do that.
local function only_in(win)
  if win ~= window and api.nvim__ns_set then
    window = win
    pcall(api.nvim__ns_set, namespace, { wins = { win } })
  end
end

--- Virtual text has no tab stops of its own.
---@param text string
---@param column integer screen column where it begins
local function expand(text, column, width)
  if not text:find("\t", 1, true) then
    return text
  end
  local out = {}
  for piece, tab in text:gmatch("([^\t]*)(\t?)") do
    out[#out + 1] = piece
    column = column + api.nvim_strwidth(piece)
    if tab ~= "" then
      local blanks = width - column % width
      out[#out + 1] = (" "):rep(blanks)
      column = column + blanks
    end
  end
  return table.concat(out)
end

--- Where the letters of `replaced` stand inside `line` in their order, as the pieces between them; nil if they do not.
---@return string[]? pieces before each byte of `replaced`, and behind the last
function M.between(line, replaced)
  local pieces, from = {}, 1
  for index = 1, #replaced do
    local at = line:find(replaced:sub(index, index), from, true)
    if not at then
      return nil
    end
    pieces[index] = line:sub(from, at - 1)
    from = at + 1
  end
  pieces[#replaced + 1] = line:sub(from)
  return pieces
end

--- Show `text` at a place (0-based row, byte column) whose next `replaced` bytes it replaces.
function M.draw(buf, win, row, col, text, replaced)
  only_in(win)
  local lines = vim.split(text, "\n", { plain = true })
  local width, below = vim.bo[buf].tabstop, nil
  for index = 2, #lines do
    below = below or {}
    below[index - 1] = { { expand(lines[index], 0, width), "CodemoatSuggestion" } }
  end
  local first = lines[1]
  local pieces = replaced ~= "" and M.between(first, replaced) or nil
  local shown = pieces and pieces[1] or first
  if shown:find("\t", 1, true) then
    shown = expand(shown, vim.fn.virtcol({ row + 1, col + 1 }) - 1, width)
  end
  M.trim(buf, pieces and #replaced or 0)
  api.nvim_buf_set_extmark(buf, namespace, row, col, {
    id = INLINE,
    virt_text = { { shown, "CodemoatSuggestion" } },
    virt_text_pos = "inline",
    virt_lines = below,
    hl_mode = "combine",
    -- Undoing an edit must not bring it back.
    undo_restore = false,
  })
  if pieces then
    for index = 2, #pieces do
      api.nvim_buf_set_extmark(buf, namespace, row, col + index - 1, {
        id = REPLACED + index,
        virt_text = { { pieces[index], "CodemoatSuggestion" } },
        virt_text_pos = "inline",
        hl_mode = "combine",
        undo_restore = false,
      })
    end
  elseif replaced ~= "" then
    api.nvim_buf_set_extmark(buf, namespace, row, col, {
      id = REPLACED,
      end_col = col + #replaced,
      hl_group = "CodemoatReplaced",
      undo_restore = false,
    })
  end
end

--- Take away marks of pieces beyond the first `kept` bytes.
function M.trim(buf, kept)
  for _, mark in ipairs(api.nvim_buf_get_extmarks(buf, namespace, 0, -1, {})) do
    if mark[1] ~= INLINE and mark[1] > REPLACED + kept + 1 or mark[1] == REPLACED then
      api.nvim_buf_del_extmark(buf, namespace, mark[1])
    end
  end
end

function M.clear(buf)
  if api.nvim_buf_is_valid(buf) then
    api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  end
end

return M
