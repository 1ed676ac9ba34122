--- The chat buffer: Markdown that grows, and the places that its sources and citations stand for.
local api = vim.api
local config = require("codemoat.config")
local M = {}

local KEYS = "i ask   <CR> to source   R again   <C-c> stop   q close"
local WAITING = "…"
--- Of the buffer; with the conversation's id behind it, a session brings the conversation back.
local NAME = "codemoat://chat"

---@type integer?
local buf
---@type table<string, { uri: string, range: table }> by the text that stands in the buffer
local targets = {}
---@type { uri: string, range: table }[] by number
local numbered = {}
---@type string? what stands at the end while there is no answer yet
local waits

--- Whether there is a buffer to write into. The user may have wiped it out.
local function exists()
  return buf ~= nil and api.nvim_buf_is_valid(buf) and api.nvim_buf_is_loaded(buf)
end

local function edit(first, last, lines)
  if not exists() then
    return
  end
  vim.bo[buf].modifiable = true
  api.nvim_buf_set_lines(buf, first, last, false, lines)
  vim.bo[buf].modifiable = false
end

--- Add text at the end; windows whose cursor is in the last line go on with it.
local function append(text)
  if not exists() then
    return
  end
  local count = api.nvim_buf_line_count(buf)
  local follow = vim.tbl_filter(function(win)
    return api.nvim_win_get_cursor(win)[1] == count
  end, vim.fn.win_findbuf(buf))
  local last = api.nvim_buf_get_lines(buf, -2, -1, false)[1]
  edit(-2, -1, vim.split(last .. text, "\n", { plain = true }))
  for _, win in ipairs(follow) do
    api.nvim_win_set_cursor(win, { api.nvim_buf_line_count(buf), 0 })
  end
end

local function stop_waiting()
  if not waits then
    return
  end
  if not exists() then
    waits = nil
    return
  end
  local last = api.nvim_buf_get_lines(buf, -2, -1, false)[1]
  if vim.endswith(last, waits) then
    edit(-2, -1, { last:sub(1, -#waits - 1) })
  end
  waits = nil
end

--- What the cursor is on: a citation or a source; else the first source.
function M.target(count)
  if count > 0 then
    return numbered[count]
  end
  local line, column = api.nvim_get_current_line(), api.nvim_win_get_cursor(0)[2] + 1
  local nearest, distance
  for text, place in pairs(targets) do
    local from = 1
    while true do
      local first, last = line:find(text, from, true)
      if not first then
        break
      end
      local away = column < first and first - column or column > last and column - last or 0
      if not distance or away < distance then
        nearest, distance = place, away
      end
      from = last + 1
    end
  end
  local number = tonumber(line:match("%[(%d+)%]"))
  return nearest or number and numbered[number] or select(2, next(numbered))
end

local function go()
  local place = M.target(vim.v.count)
  if place then
    require("codemoat.window").open(place.uri, place.range)
  end
end

--- The conversation that a buffer's name holds; nil without one.
local function id_in(name)
  return name:match("^" .. vim.pesc(NAME) .. "/(.+)$")
end

---@return integer? a buffer of that name, or of any conversation
local function find(name)
  for _, each in ipairs(api.nvim_list_bufs()) do
    local found = api.nvim_buf_get_name(each)
    if found == name or not name and (found == NAME or id_in(found)) then
      return each
    end
  end
end

--- How a window shows the conversation.
local function dress(win)
  local here = { scope = "local", win = win }
  for name, value in pairs({ wrap = true, linebreak = true, number = false, signcolumn = "no", winbar = KEYS }) do
    api.nvim_set_option_value(name, value, here)
  end
end

local function set_up()
  vim.bo[buf].buftype, vim.bo[buf].bufhidden = "nofile", "hide"
  vim.bo[buf].swapfile, vim.bo[buf].buflisted = false, false
  vim.bo[buf].filetype = "markdown"
  -- Before 0.12 the type alone marks every `_` as an error.
  pcall(vim.treesitter.start, buf, "markdown")
  vim.bo[buf].modifiable = false
  local function map(key, action)
    vim.keymap.set("n", key, action, { buffer = buf, nowait = true })
  end
  for _, key in ipairs({ "i", "a", "o" }) do
    map(key, function()
      require("codemoat.chat").ask("")
    end)
  end
  map("<CR>", go)
  map("R", function()
    require("codemoat.chat").regenerate()
  end)
  map("<C-c>", "<Cmd>Codemoat chat stop<CR>")
  map("q", "<Cmd>close<CR>")
  local group = api.nvim_create_augroup("codemoat.chat", {})
  api.nvim_create_autocmd("BufWinEnter", {
    group = group,
    buffer = buf,
    callback = function()
      dress(api.nvim_get_current_win())
    end,
  })
  vim.tbl_map(dress, vim.fn.win_findbuf(buf))
  M.clear()
end

--- Make the buffer, unless it is there with its text.
---@return boolean whether it was made
function M.make()
  if exists() then
    return false
  end
  buf = find()
  if buf then
    vim.cmd(("noautocmd call bufload(%d)"):format(buf))
  else
    buf = api.nvim_create_buf(false, true)
    api.nvim_buf_set_name(buf, NAME)
  end
  set_up()
  return true
end

--- Whether a buffer is the one that is written into.
function M.owns(other)
  return exists() and buf == other
end

--- A session is about to name a buffer: two cannot have the same name. The conversation can be opened again.
---@param other integer
function M.make_way(other)
  if exists() and buf ~= other and #vim.fn.win_findbuf(buf) == 0 then
    api.nvim_buf_delete(buf, { force = true })
  end
end

--- Take a buffer that a session brought back, by its name. It has the place of one that is there already.
---@param other integer
---@return string? id of its conversation
function M.adopt(other)
  local old = buf
  buf = other
  set_up()
  if old and old ~= other and api.nvim_buf_is_valid(old) then
    vim.schedule(function()
      pcall(api.nvim_buf_delete, old, { force = true })
    end)
  end
  return id_in(api.nvim_buf_get_name(other))
end

--- Name the buffer after its conversation.
---@param id string?
function M.name(id)
  local wanted = id and NAME .. "/" .. id or NAME
  local before = exists() and api.nvim_buf_get_name(buf)
  if not before or before == wanted then
    return
  end
  local other = find(wanted)
  if other then
    api.nvim_buf_delete(other, { force = true })
  end
  api.nvim_buf_set_name(buf, wanted)
  -- The old name is left as a buffer of its own.
  other = find(before)
  if other and other ~= buf then
    api.nvim_buf_delete(other, { force = true })
  end
end

--- Show the buffer; the cursor goes there.
---@return boolean whether it had to be made, and is empty
function M.open()
  local made = M.make()
  local win = vim.fn.bufwinid(buf)
  if win ~= -1 then
    api.nvim_set_current_win(win)
    return made
  end
  local chat = config.options.chat
  if chat.position == "tab" then
    vim.cmd("tab split")
  else
    vim.cmd(chat.position == "left" and "topleft vsplit" or "botright vsplit")
    api.nvim_win_set_width(0, math.min(chat.width, math.floor(vim.o.columns / 2)))
  end
  api.nvim_win_set_buf(0, buf)
  dress(api.nvim_get_current_win())
  return made
end

--- The file that the user has before them: in this window, or in another of the tab page.
---@return integer?
function M.code_buffer()
  local current = api.nvim_get_current_buf()
  if current ~= buf then
    return current
  end
  for _, win in ipairs(api.nvim_tabpage_list_wins(0)) do
    local found = api.nvim_win_get_buf(win)
    if vim.bo[found].buftype == "" then
      return found
    end
  end
end

function M.clear()
  targets, numbered = {}, {}
  edit(0, -1, { "" })
end

function M.question(text, selected)
  M.make()
  local about = ""
  if selected then
    local name = vim.fn.fnamemodify(api.nvim_buf_get_name(selected.buf), ":.")
    about = ("\n\n> %s:%d-%d"):format(name, selected.first, selected.last)
  end
  local between = api.nvim_buf_line_count(buf) > 1 and "\n\n" or ""
  append(("%s## %s%s\n\n"):format(between, text:gsub("\n", "\n## "), about))
end

--- Show that there is no answer yet, and why; the answer takes its place.
---@param why string?
function M.waiting(why)
  stop_waiting()
  waits = why and why ~= "" and why or WAITING
  append(waits)
end

--- Where the answer comes from, before it comes.
function M.sources(sources)
  stop_waiting()
  local lines = {}
  for _, source in ipairs(sources) do
    local first, last = source.range.start.line + 1, require("codemoat.window").last_line(source.range)
    local text = ("[%d] %s:%d-%d"):format(source.number, source.path, first, last)
    local symbol = source.symbol ~= vim.NIL and source.symbol and "  `" .. source.symbol .. "`" or ""
    numbered[source.number] = { uri = source.uri, range = source.range }
    targets[text] = numbered[source.number]
    lines[#lines + 1] = "- " .. text .. symbol
  end
  append(#lines > 0 and table.concat(lines, "\n") .. "\n\n" or "")
  M.waiting()
end

function M.delta(text)
  stop_waiting()
  append(text)
end

--- The answer is complete: its citations are places now.
function M.answered(answer)
  stop_waiting()
  for _, citation in ipairs(answer.citations) do
    targets[citation.text] = { uri = citation.uri, range = citation.range }
  end
  if answer.stopReason == "cancelled" then
    append("\n\n*Stopped.*")
  end
  if answer.unverified and #answer.unverified > 0 then
    append(("\n\n*Neither sources nor index know %s.*"):format(table.concat(answer.unverified, ", ")))
  end
end

function M.failed(message)
  stop_waiting()
  append(("*%s*"):format(message))
end

return M
