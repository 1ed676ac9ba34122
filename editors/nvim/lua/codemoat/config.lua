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

--- The command of the server, its program by full path where it is not on the PATH: as `make install` links it, or in the
--- clone that this plugin lies in.
---@return string[]
function M.command()
  local command = vim.deepcopy(M.options.cmd)
  if vim.fn.executable(command[1]) == 1 or command[1] ~= defaults.cmd[1] then
    return command
  end
  local here = vim.uv.fs_realpath(debug.getinfo(1, "S").source:sub(2)) or ""
  local clone = vim.fn.fnamemodify(here, ":h:h:h:h:h")
  for _, folder in ipairs({ vim.fs.normalize("~/.local/bin"), clone .. "/.venv/bin" }) do
    local program = folder .. "/" .. command[1]
    if vim.fn.executable(program) == 1 then
      command[1] = program
      break
    end
  end
  return command
end

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
