--- The public face: what mappings and statuslines call. Everything is loaded when it is used.
local M = {}

--- Change options; without a call the defaults hold. May be called again: settings apply at once.
---@param options codemoat.Options?
function M.setup(options)
  require("codemoat.config").set(options)
  if vim.v.vim_did_enter == 1 then
    require("codemoat.lsp").enable()
  end
end

--- Take the suggestion or its next part. For mappings, with `expr` or without.
---@param part "all"|"word"|"line"|nil
---@return boolean whether there is one
function M.accept(part)
  return require("codemoat.accept").start(part or "all")
end

--- Whether a suggestion is on the screen.
---@return boolean
function M.visible()
  local native = require("codemoat.native")
  if native.on(vim.api.nvim_get_current_buf()) then
    return native.visible()
  end
  return require("codemoat.ghost").rest() ~= nil
end

--- Ask for a suggestion here, also where automatic ones are off.
function M.suggest()
  local lsp, buf = require("codemoat.lsp"), vim.api.nvim_get_current_buf()
  local why_not = not lsp.client(buf) and require("codemoat.buffers").why_not(buf)
  if why_not then
    lsp.tell("no suggestions here: " .. why_not)
    return
  end
  require("codemoat.ready").run(function()
    require("codemoat.ghost").request(true)
  end, lsp.tell)
end

--- Show another suggestion for the same place.
---@param step 1|-1
function M.cycle(step)
  local native = require("codemoat.native")
  local drawn = native.on(vim.api.nvim_get_current_buf()) and native or require("codemoat.ghost")
  drawn.cycle(step)
end

--- Take the suggestion off the screen.
---@return boolean whether there was one
function M.dismiss()
  return require("codemoat.ghost").drop("rejected")
end

--- A short text for a statusline; empty where no server runs.
---@return string
function M.statusline()
  -- Asked for at every redraw: nothing is loaded for it.
  local status = package.loaded["codemoat.status"]
  return status and status.line() or ""
end

return M
