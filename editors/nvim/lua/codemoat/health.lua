--- `:checkhealth codemoat`: what is there, what is not, and what to do about it.
local M = {}

local WAIT = 3000

local function editor()
  vim.health.start("Neovim")
  local version = tostring(vim.version())
  if vim.fn.has("nvim-0.11") == 1 then
    vim.health.ok("Neovim " .. version)
  else
    vim.health.ok(("Neovim %s: the server is started without vim.lsp.config"):format(version))
  end
  if require("codemoat.config").options.native == true and not vim.lsp.inline_completion then
    vim.health.warn("native = true, but this Neovim has no vim.lsp.inline_completion (0.12)", "Remove the option")
  else
    vim.health.ok("Suggestions are drawn by " .. (require("codemoat.native").on(0) and "vim.lsp.inline_completion" or "the plugin"))
  end
  for _, name in ipairs({ "telescope", "fzf-lua" }) do
    if pcall(require, name) then
      vim.health.ok(name .. " shows what is found")
    end
  end
end

---@return boolean
local function program()
  vim.health.start("Server")
  local command = require("codemoat.config").command()
  if vim.fn.executable(command[1]) == 0 then
    vim.health.error(command[1] .. " was not found", {
      "Install it: `make install` in a clone of codemoat",
      'Or name it: require("codemoat").setup({ cmd = { "/path/to/codemoat-lsp" } })',
    })
    return false
  end
  local asked = vim.list_extend(vim.deepcopy(command), { "--version" })
  local ran, answer = pcall(function()
    return vim.system(asked, { text = true }):wait(WAIT)
  end)
  if ran and answer.code == 0 then
    vim.health.ok(("%s: %s"):format(vim.fn.exepath(command[1]), vim.trim(answer.stdout)))
    return true
  end
  vim.health.error(table.concat(asked, " ") .. " failed", ran and vim.trim(answer.stderr or "") or tostring(answer))
  return false
end

local function session()
  local client = vim.lsp.get_clients({ name = "codemoat" })[1]
  if not client then
    vim.health.warn("The server does not run", "Open a file that has a file type; :Codemoat log shows why it ended")
    return
  end
  vim.health.ok(("It runs for %d buffers"):format(vim.tbl_count(client.attached_buffers)))
  local buf = next(client.attached_buffers)
  local answer
  if vim.fn.has("nvim-0.11") == 1 then
    answer = client:request_sync("codemoat/status", nil, WAIT, buf)
  else
    answer = client.request_sync("codemoat/status", nil, WAIT, buf)
  end
  local status = answer and answer.result
  if not status then
    vim.health.error("It did not answer within three seconds", ":Codemoat log may say why")
    return
  end
  vim.health.start("Model")
  local model = status.model
  if model.state == "missing" then
    vim.health.error(model.problem, { ":Codemoat fetch", "Or in a shell: codemoat models pull " .. model.name })
  elseif model.state == "failed" then
    vim.health.error(model.problem, "In a shell: codemoat doctor")
  else
    vim.health.ok(("%s: %s"):format(model.name, model.state))
  end
  vim.health.start("Index")
  if #status.folders == 0 then
    vim.health.warn("No folder is indexed", "Open a file inside a git repository, or put a .codemoat.toml into its root")
  end
  for _, folder in ipairs(status.folders) do
    local text = ("%s: %s, %d files"):format(vim.uri_to_fname(folder.uri), folder.state, folder.files or 0)
    if folder.problem ~= "" then
      vim.health.warn(text .. ". " .. folder.problem, ":Codemoat index rebuild")
    else
      vim.health.ok(text)
    end
  end
end

function M.check()
  editor()
  if program() then
    session()
  end
end

return M
