--- Suggestions that the editor draws itself, by `vim.lsp.inline_completion` (Neovim 0.12): where it is enabled anyway,
--- two would be drawn; so it has the place, and the same keys take what it shows.
local api = vim.api
local M = {}

--- Whether the editor draws suggestions in a buffer.
---@param buf integer
---@return boolean
function M.on(buf)
  local native = require("codemoat.config").options.native
  if not vim.lsp.inline_completion or native == false then
    return false
  end
  return native == true or vim.lsp.inline_completion.is_enabled({ bufnr = buf })
end

--- Let it draw in a buffer, if it was asked for.
function M.attach(buf, client)
  if vim.lsp.inline_completion and require("codemoat.config").options.native == true then
    vim.lsp.inline_completion.enable(true, { client_id = client.id })
  end
end

--- Take what it shows or the next part of that.
---@param part "all"|"word"|"line"
---@return boolean whether it shows something
function M.accept(part)
  return vim.lsp.inline_completion.get({
    on_accept = function(item)
      require("codemoat.accept").native(item, part)
    end,
  })
end

--- Whether it shows something; it tells nobody, so its marks are counted.
function M.visible()
  local namespace = api.nvim_get_namespaces()["nvim.lsp.inline_completion"]
  return namespace ~= nil and #api.nvim_buf_get_extmarks(0, namespace, 0, -1, { limit = 1 }) > 0
end

--- Show another candidate, or ask for one.
function M.cycle(step)
  vim.lsp.inline_completion.select({ count = step })
end

return M
