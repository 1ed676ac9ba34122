--- Options of the plugin. What the server decides (models, languages, automatic or not) are `settings`, sent to it as they are.
local M = {}

---@class codemoat.Options
---@field cmd string[] the language server
---@field enabled fun(buf: integer): boolean which buffers it is started for
---@field settings table keys of docs/configuration.md, nested or dotted
---@field picker "auto"|"telescope"|"fzf-lua"|"select"|"quickfix" where `:Codemoat search` shows what it found
---@field native boolean|"auto" whether `vim.lsp.inline_completion` (0.12) draws suggestions; "auto": where it is enabled
---@field chat { position: "right"|"left"|"tab", width: integer }
local defaults = {
  cmd = { "codemoat-lsp" },
  enabled = function(_)
    return true
  end,
  settings = vim.empty_dict(),
  picker = "auto",
  native = "auto",
  chat = { position = "right", width = 80 },
}

---@type codemoat.Options
M.options = vim.deepcopy(defaults)

--- Take the user's options. A wrong one costs only itself and is told.
---@param options table?
function M.set(options)
  local checks = {
    cmd = { "table" },
    enabled = { "function" },
    settings = { "table" },
    picker = { "string" },
    native = { "boolean", "string" },
    chat = { "table" },
  }
  local wrong, taken = {}, {}
  for name, value in pairs(options or {}) do
    if checks[name] and vim.list_contains(checks[name], type(value)) then
      taken[name] = value
    else
      local known = checks[name] and ("must be a " .. table.concat(checks[name], " or ")) or "is no option"
      wrong[#wrong + 1] = ("%s %s"):format(name, known)
    end
  end
  M.options = vim.tbl_deep_extend("force", vim.deepcopy(defaults), taken)
  if #wrong > 0 then
    table.sort(wrong)
    vim.notify("codemoat: " .. table.concat(wrong, ", ") .. "; see :help codemoat-options", vim.log.levels.WARN)
  end
end

return M
