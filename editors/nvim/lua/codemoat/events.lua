--- What the editor tells of a buffer with suggestions: keys, moves, menus, leaving.
local api = vim.api
local ghost = require("codemoat.ghost")
local lsp = require("codemoat.lsp")
local M = {}

--- Milliseconds that a cursor rests before the server hears of it.
local RESTS = 150
local rest_timer = assert(vim.uv.new_timer())

local function group(buf)
  return ("codemoat.buffer.%d"):format(buf)
end

local function tell_cursor()
  local buf = api.nvim_get_current_buf()
  local client = lsp.client(buf)
  if client then
    lsp.notify(client, "codemoat/didMoveCursor", ghost.position_params(client))
  end
end

--- Let suggestions follow a buffer.
function M.attach(buf, client)
  require("codemoat.native").attach(buf, client)
  local made = api.nvim_create_augroup(group(buf), {})
  local function on(events, callback)
    api.nvim_create_autocmd(events, { group = made, buffer = buf, callback = callback })
  end
  on({ "TextChangedI", "TextChangedP" }, ghost.on_text)
  -- It comes before TextChangedI for the same key, both before the screen is drawn: the text moves with the cursor.
  on("CursorMovedI", ghost.on_move)
  on("InsertEnter", function()
    vim.schedule(ghost.on_text)
  end)
  on({ "InsertLeave", "BufLeave", "WinLeave" }, ghost.on_leave)
  on("CursorMoved", function()
    rest_timer:start(RESTS, 0, vim.schedule_wrap(tell_cursor))
  end)
  -- Somebody may have begun to type while the server started.
  vim.schedule(function()
    if api.nvim_get_current_buf() == buf then
      ghost.on_text()
    end
  end)
end

function M.detach(buf)
  pcall(api.nvim_del_augroup_by_name, group(buf))
  ghost.forget(buf)
end

return M
