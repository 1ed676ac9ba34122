--- Asking for a line. What is typed may hold a secret, so it stays out of the history that Neovim writes to a file.
local M = {}

---@param prompt string
---@param done fun(typed: string) called unless the user left or typed nothing
function M.ask(prompt, done)
  vim.ui.input({ prompt = prompt }, function(typed)
    if not typed or vim.trim(typed) == "" then
      return
    end
    if vim.fn.histget("@", -1) == typed then
      vim.fn.histdel("@", -1)
    end
    done(typed)
  end)
end

return M
