--- Commands that are used before the server runs: it is started, and they go on once it is ready.
local M = {}

--- Milliseconds that a command waits. The server answers within a second, unless the machine is very busy.
M.patience = 20000

---@class codemoat.Waiting
---@field go fun(client: vim.lsp.Client)
---@field fail fun(problem: string)

---@type codemoat.Waiting[]
local waiting = {}

--- Whether a command still waits; it does no longer after this.
---@param entry codemoat.Waiting
local function take(entry)
  for index, each in ipairs(waiting) do
    if each == entry then
      table.remove(waiting, index)
      return true
    end
  end
  return false
end

--- Call `go` with the server: at once, or when it has started. Otherwise `fail` gets a sentence that says why not.
---@param go fun(client: vim.lsp.Client)
---@param fail fun(problem: string)
function M.run(go, fail)
  local lsp = require("codemoat.lsp")
  local client = lsp.any()
  if client then
    go(client)
    return
  end
  local problem = lsp.start_any()
  if problem then
    fail(problem)
    return
  end
  local entry = { go = go, fail = fail }
  waiting[#waiting + 1] = entry
  lsp.tell("waiting for the server to start")
  vim.defer_fn(function()
    if take(entry) then
      local seconds = math.ceil(M.patience / 1000)
      fail(("the server did not start within %d s. Try again; :Codemoat log may say why"):format(seconds))
    end
  end, M.patience)
end

--- The server is ready.
---@param client vim.lsp.Client
function M.started(client)
  local all = waiting
  waiting = {}
  for _, entry in ipairs(all) do
    entry.go(client)
  end
end

--- The server ended before it was ready.
function M.ended()
  local all = waiting
  waiting = {}
  for _, entry in ipairs(all) do
    entry.fail("the server ended while it started. :checkhealth codemoat and :Codemoat log say more")
  end
end

return M
