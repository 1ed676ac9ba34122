--- The server's life: started with the first file, attached to buffers, started again when it dies.
local buffers = require("codemoat.buffers")
local config = require("codemoat.config")
local M = {}

local NAME = "codemoat"
local ROOT_MARKERS = { ".codemoat.toml", ".git" }
local FIRST_PAUSE, LONGEST_PAUSE = 1000, 60000
--- Milliseconds that the server has to run for the next pause to be the first again.
local SOUND = 30000

--- Of messages, in the protocol's order: error, warning, information, log.
local SEVERITY = { vim.log.levels.ERROR, vim.log.levels.WARN, vim.log.levels.INFO, vim.log.levels.INFO }

local enabled, told_missing = false, false
local pause, started_at = FIRST_PAUSE, 0
---@type table<integer, vim.lsp.Client> by buffer
local attached = {}
--- Buffers to attach again after a crash.
local wanted = {}
--- Clients that were ready, by id.
local were_ready = {}
local has_11 = vim.fn.has("nvim-0.11") == 1

---@param buf integer
---@return vim.lsp.Client?
function M.client(buf)
  local client = attached[buf]
  return client and not client.is_stopped(client) and client or nil
end

--- The client of this buffer, else any.
---@return vim.lsp.Client?
function M.any()
  local running = vim.tbl_filter(function(client)
    return not client.is_stopped(client)
  end, vim.lsp.get_clients({ name = NAME }))
  return M.client(vim.api.nvim_get_current_buf()) or running[1]
end

---@param client vim.lsp.Client
---@param handler fun(err: table?, result: any)
---@return integer? id of the request
function M.request(client, method, params, handler, buf)
  local function on_answer(err, result)
    handler(err, result)
  end
  local sent, id
  if has_11 then
    sent, id = client:request(method, params, on_answer, buf)
  else
    sent, id = client.request(method, params, on_answer, buf)
  end
  return sent and id or nil
end

---@param client vim.lsp.Client
function M.notify(client, method, params)
  if has_11 then
    client:notify(method, params)
  else
    client.notify(method, params)
  end
end

---@param client vim.lsp.Client
function M.cancel(client, id)
  if has_11 then
    client:cancel_request(id)
  else
    client.cancel_request(id)
  end
end

--- Why a client has nothing to search and to ask about; nil where it has a folder.
---@param client vim.lsp.Client
---@return string?
function M.no_folder(client)
  if #(client.workspace_folders or {}) > 0 then
    return nil
  end
  return "no project is open. A folder with .git or .codemoat.toml, which may be empty, is one; "
    .. "add it, then :edit a file there"
end

--- Whether a method is about folders.
local function needs_folder(method)
  return method == "codemoat/search" or method == "codemoat/index" or vim.startswith(method, "codemoat/chat/")
end

--- Ask, when the server runs, and show an error as a message, or give it to `failed`; `handler` gets results alone.
---@param failed fun(problem: string)?
function M.ask(method, params, handler, failed)
  local buf = vim.api.nvim_get_current_buf()
  local not_asked = failed or function(problem)
    M.tell(problem, vim.log.levels.WARN)
  end
  require("codemoat.ready").run(function(client)
    local problem = needs_folder(method) and M.no_folder(client)
    if problem then
      not_asked(problem)
      return
    end
    M.request(client, method, params, function(err, result)
      if not err then
        handler(result == vim.NIL and nil or result, client)
      elseif failed then
        failed(err.message)
      else
        M.tell(err.message, vim.log.levels.ERROR)
      end
    end, vim.api.nvim_buf_is_valid(buf) and buf or vim.api.nvim_get_current_buf())
  end, not_asked)
end

--- Tell without waiting for a key, as the editor's own message would that is wider than the screen: what does not fit
--- is cut, `:messages` has all of it.
---@param text string
function M.tell(text, level)
  text = ("codemoat: " .. text):gsub("%s*\n%s*", " ")
  local room = vim.o.columns - 12
  local source = debug.getinfo(vim.notify, "S").source
  local of_a_plugin = source:sub(1, 1) == "@" and source:sub(1, 5) ~= "@vim/"
  if not of_a_plugin then
    -- A second line below another message would wait for a key too.
    vim.cmd.redraw()
  end
  if of_a_plugin or vim.api.nvim_strwidth(text) <= room then
    vim.notify(text, level or vim.log.levels.INFO)
    return
  end
  vim.cmd("silent echomsg " .. vim.fn.string(text))
  local short = vim.fn.strcharpart(text, 0, room - 1) .. "…"
  vim.api.nvim_echo({ { short, (level or 0) >= vim.log.levels.WARN and "WarningMsg" or nil } }, false, {})
end

--- Let the server complete, chat and search. Safe to call again: changed settings are sent.
function M.enable()
  if enabled then
    M.send_settings()
    return
  end
  enabled = true
  local group = vim.api.nvim_create_augroup("codemoat.lsp", {})
  vim.api.nvim_create_autocmd("LspAttach", {
    group = group,
    callback = function(event)
      local client = vim.lsp.get_client_by_id(event.data.client_id)
      if client and client.name == NAME then
        attached[event.buf], wanted[event.buf] = client, true
        require("codemoat.events").attach(event.buf, client)
      end
    end,
  })
  vim.api.nvim_create_autocmd("LspDetach", {
    group = group,
    callback = function(event)
      local client = attached[event.buf]
      if client and client.id == event.data.client_id then
        attached[event.buf] = nil
        require("codemoat.events").detach(event.buf)
      end
    end,
  })
  vim.api.nvim_create_autocmd("BufDelete", {
    group = group,
    callback = function(event)
      wanted[event.buf] = nil
    end,
  })
  if vim.lsp.config and vim.lsp.enable then
    vim.lsp.config(NAME, M.client_config())
    vim.lsp.enable(NAME)
    -- At start-up `enable` waits for the event that has just passed.
    for _, buf in ipairs(vim.api.nvim_list_bufs()) do
      M.start(buf)
    end
    return
  end
  vim.api.nvim_create_autocmd("FileType", {
    group = group,
    callback = function(event)
      M.start(event.buf)
    end,
  })
  for _, buf in ipairs(vim.api.nvim_list_bufs()) do
    M.start(buf)
  end
end

--- Start or find the server for a buffer that is code.
function M.start(buf)
  -- `vim.lsp.enable` says nothing of a program that is not there.
  if not vim.api.nvim_buf_is_valid(buf) or not M.may_start(buf) then
    return
  end
  if vim.lsp.config and vim.lsp.enable then
    vim.api.nvim_exec_autocmds("FileType", { group = "nvim.lsp.enable", buffer = buf, modeline = false })
    return
  end
  local made = M.client_config()
  made.root_dir(buf, function(root)
    made.root_dir = root
    vim.lsp.start(made, { bufnr = buf, reuse_client = made.reuse_client })
  end)
end

---@return table for vim.lsp.config
function M.client_config()
  local options = config.options
  local capabilities = vim.lsp.protocol.make_client_capabilities()
  -- What the editor draws itself neither tells that it is shown nor asks for the rest of a beginning.
  local ours = not require("codemoat.native").on(0)
  capabilities.experimental = { codemoat = { statusChanged = true, didShow = ours, firstWords = ours } }
  return {
    name = NAME,
    cmd = config.command(),
    capabilities = capabilities,
    init_options = options.settings,
    settings = { codemoat = options.settings },
    -- How fast somebody types tells the server when to ask the model, so it hears of each key.
    flags = { debounce_text_changes = 0 },
    reuse_client = M.reuse,
    root_dir = function(buf, on_dir)
      if M.may_start(buf) then
        on_dir(vim.fs.root(buf, ROOT_MARKERS))
      end
    end,
    handlers = {
      ["codemoat/statusChanged"] = function(_, status)
        require("codemoat.status").set(status)
      end,
      ["codemoat/chat/event"] = function(_, event)
        require("codemoat.chat").on_event(event)
      end,
      ["window/showMessage"] = function(_, message)
        M.tell(message.message, SEVERITY[message.type])
      end,
      ["window/showMessageRequest"] = function(_, params)
        return require("codemoat.offer").receive(params)
      end,
    },
    on_init = function(client)
      started_at = vim.uv.now()
      were_ready[client.id] = true
      require("codemoat.status").follow(client)
      -- Open documents are sent to it first.
      vim.schedule(function()
        require("codemoat.ready").started(client)
      end)
    end,
    on_exit = M.on_exit,
  }
end

---@return string? what to do where the program is not there
local function missing()
  if vim.fn.executable(config.command()[1]) == 1 then
    return nil
  end
  return ("%s was not found. Run `make install` in a clone of codemoat, or set cmd; see :checkhealth codemoat"):format(
    config.options.cmd[1]
  )
end

--- Whether a buffer gets the server; tells once when there is none to start.
function M.may_start(buf)
  if not buffers.is_code(buf) or not config.options.enabled(buf) then
    return false
  end
  local problem = missing()
  if problem and not told_missing then
    told_missing = true
    M.tell(problem, vim.log.levels.WARN)
  end
  return not problem
end

--- Start the server for what is open, and without a file for the current folder; not where it runs already.
---@return string? why it cannot be started
function M.start_any()
  M.enable()
  local problem = missing()
  if problem then
    return problem
  end
  local current = vim.api.nvim_get_current_buf()
  for _, buf in ipairs({ current, unpack(vim.api.nvim_list_bufs()) }) do
    if M.may_start(buf) then
      M.start(buf)
      return nil
    end
  end
  local made = M.client_config()
  made.root_dir = vim.fs.root(vim.fn.getcwd(), ROOT_MARKERS)
  if has_11 then
    vim.lsp.start(made, { attach = false, reuse_client = made.reuse_client })
  else
    vim.lsp.start_client(made)
  end
  return nil
end

--- One server for all folders: another root becomes another folder of the one that runs.
function M.reuse(client, made)
  if client.name ~= NAME or client:is_stopped() then
    return false
  end
  local root = made.root_dir
  if not root then
    return true
  end
  local uri = vim.uri_from_fname(root)
  client.workspace_folders = client.workspace_folders or {}
  for _, folder in ipairs(client.workspace_folders) do
    if folder.uri == uri then
      return true
    end
  end
  local folder = { uri = uri, name = vim.fs.basename(root) }
  table.insert(client.workspace_folders, folder)
  local change = { event = { added = { folder }, removed = {} } }
  if client.initialized then
    M.notify(client, "workspace/didChangeWorkspaceFolders", change)
  else
    -- It was started with the folders of that moment.
    vim.api.nvim_create_autocmd("LspAttach", {
      once = true,
      callback = function()
        M.notify(client, "workspace/didChangeWorkspaceFolders", change)
      end,
    })
  end
  return true
end

function M.send_settings()
  local settings = { codemoat = config.options.settings }
  if vim.lsp.config and vim.lsp.enable then
    vim.lsp.config(NAME, M.client_config())
  end
  for _, client in ipairs(vim.lsp.get_clients({ name = NAME })) do
    client.settings = settings
    M.notify(client, "workspace/didChangeConfiguration", { settings = settings })
  end
end

--- Start again after a crash, at growing intervals; not after it was stopped on purpose.
function M.on_exit(code, signal, id)
  local terminated = 15
  vim.schedule(function()
    if not were_ready[id] then
      require("codemoat.ready").ended()
    elseif package.loaded["codemoat.chat"] then
      require("codemoat.chat").on_exit(id)
    end
  end)
  if code == 0 and (signal == 0 or signal == terminated) then
    return
  end
  vim.schedule(function()
    if vim.v.exiting ~= vim.NIL then
      return
    end
    require("codemoat.status").set(nil)
    pause = vim.uv.now() - started_at > SOUND and FIRST_PAUSE or math.min(2 * pause, LONGEST_PAUSE)
    vim.defer_fn(function()
      for buf in pairs(wanted) do
        if vim.api.nvim_buf_is_valid(buf) then
          M.start(buf)
        end
      end
    end, pause)
  end)
end

return M
