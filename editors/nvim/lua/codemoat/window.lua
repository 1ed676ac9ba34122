--- Small windows for reading.
local api = vim.api
local M = {}

--- Show lines in a window over the text; `q` or Escape closes it.
---@param title string
---@param lines string[]
---@param filetype string?
---@return integer buf, integer win
function M.float(title, lines, filetype)
  local buf = api.nvim_create_buf(false, true)
  api.nvim_buf_set_lines(buf, 0, -1, false, lines)
  vim.bo[buf].bufhidden, vim.bo[buf].modifiable = "wipe", false
  vim.bo[buf].filetype = filetype or "codemoat-info"
  local width = #title + 4
  for _, line in ipairs(lines) do
    width = math.max(width, api.nvim_strwidth(line) + 1)
  end
  width = math.max(20, math.min(width, vim.o.columns - 4))
  local height = 0
  for _, line in ipairs(lines) do
    height = height + math.max(1, math.ceil(api.nvim_strwidth(line) / width))
  end
  height = math.max(1, math.min(height, vim.o.lines - 4))
  local win = api.nvim_open_win(buf, true, {
    relative = "editor",
    row = math.floor((vim.o.lines - height) / 2) - 1,
    col = math.floor((vim.o.columns - width) / 2),
    width = width,
    height = height,
    style = "minimal",
    border = "rounded",
    title = (" %s "):format(title),
  })
  vim.wo[win].wrap, vim.wo[win].linebreak = true, true
  for _, key in ipairs({ "q", "<Esc>" }) do
    vim.keymap.set("n", key, "<Cmd>close<CR>", { buffer = buf, nowait = true })
  end
  return buf, win
end

--- The last line that a range takes in, 1-based: one that ends before the first column of a line stops before it.
function M.last_line(range)
  local last = range["end"]
  return last.character == 0 and last.line > range.start.line and last.line or last.line + 1
end

--- Open a range of a file in a window that holds files, and mark its lines for a moment.
---@param range { start: { line: integer }, ["end"]: { line: integer, character: integer } } 0-based
function M.open(uri, range)
  local win = M.code_window()
  api.nvim_set_current_win(win)
  vim.cmd("normal! m'")
  local buf = vim.uri_to_bufnr(uri)
  vim.bo[buf].buflisted = true
  api.nvim_win_set_buf(win, buf)
  local last = api.nvim_buf_line_count(buf)
  local line = math.min(range.start.line + 1, last)
  api.nvim_win_set_cursor(win, { line, 0 })
  vim.cmd("normal! zvzt")
  local namespace = api.nvim_create_namespace("codemoat.jump")
  api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
  api.nvim_buf_set_extmark(buf, namespace, line - 1, 0, {
    end_row = math.min(M.last_line(range), last),
    hl_group = "Visual",
    hl_eol = true,
    strict = false,
  })
  vim.defer_fn(function()
    if api.nvim_buf_is_valid(buf) then
      api.nvim_buf_clear_namespace(buf, namespace, 0, -1)
    end
  end, 1500)
end

--- A window of this tab page that shows a file; a new one where there is none.
function M.code_window()
  local previous = vim.fn.win_getid(vim.fn.winnr("#"))
  for _, win in ipairs({ api.nvim_get_current_win(), previous, unpack(api.nvim_tabpage_list_wins(0)) }) do
    if win ~= 0 and api.nvim_win_is_valid(win) then
      local ordinary = api.nvim_win_get_config(win).relative == ""
      if ordinary and vim.bo[api.nvim_win_get_buf(win)].buftype == "" then
        return win
      end
    end
  end
  vim.cmd("leftabove vsplit")
  return api.nvim_get_current_win()
end

return M
