--- What the server told last of suggestions, model and index: for the statusline and for who asks.
local lsp = require("codemoat.lsp")
local M = {}

---@type table?
local status
---@type table<any, { title: string, percentage: integer? }> work under way, by token
local work = {}

function M.set(found)
  status = found ~= vim.NIL and found or nil
  if not found then
    work = {}
  end
  vim.cmd.redrawstatus({ bang = true })
  vim.api.nvim_exec_autocmds("User", { pattern = "CodemoatStatus", modeline = false })
end

function M.get()
  return status
end

--- Whether suggestions may be asked for while typing.
function M.automatic()
  local suggestions = status and status.suggestions
  return not suggestions or suggestions.enabled and suggestions.automatic and suggestions.snoozedSeconds == 0
end

--- Note the progress that a client reports.
function M.follow(client)
  vim.api.nvim_create_autocmd("LspProgress", {
    group = vim.api.nvim_create_augroup("codemoat.progress", {}),
    callback = function(event)
      local params = event.data.params or event.data.result
      if event.data.client_id ~= client.id or not params then
        return
      end
      local value, token = params.value, params.token
      if value.kind == "end" then
        work[token] = nil
      else
        local known = work[token] or {}
        work[token] = { title = value.title or known.title, percentage = value.percentage or known.percentage }
      end
      vim.cmd.redrawstatus()
    end,
  })
end

--- For the statusline: what it is doing, else what is wrong, else that it is there.
function M.line()
  if not status then
    return ""
  end
  local _, doing = next(work)
  if doing then
    return ("codemoat: %s%s"):format(doing.title, doing.percentage and (" %d%%"):format(doing.percentage) or "")
  end
  if status.model.state == "missing" then
    return "codemoat: no model"
  elseif status.model.state == "failed" then
    return "codemoat: model failed"
  elseif status.suggestions.snoozedSeconds > 0 then
    return "codemoat: snoozed"
  elseif not status.suggestions.enabled then
    return "codemoat: off"
  end
  return "codemoat"
end

--- The status as lines of text.
---@return string[]
function M.lines(found)
  local suggestions, model = found.suggestions, found.model
  local lines = { ("codemoat %s, %d documents open"):format(found.version, found.documents), "" }
  local function add(...)
    lines[#lines + 1] = string.format(...)
  end
  local how = not suggestions.enabled and "off" or suggestions.automatic and "automatic" or "when asked for"
  if suggestions.snoozedSeconds > 0 then
    how = how .. (", snoozed for %d min"):format(math.ceil(suggestions.snoozedSeconds / 60))
  end
  if #suggestions.languagesOff > 0 then
    how = how .. ", not in " .. table.concat(suggestions.languagesOff, ", ")
  end
  add("Suggestions  %s", how)
  add("Model        %s: %s%s", model.name, model.state, model.problem ~= "" and ". " .. model.problem or "")
  if require("codemoat.offer").pending() then
    add("             :Codemoat fetch asks whether to fetch it")
  end
  for _, folder in ipairs(found.folders) do
    local files = folder.files and (", %d files"):format(folder.files) or ""
    add("Index        %s: %s%s", vim.uri_to_fname(folder.uri), folder.state, files)
    if folder.problem ~= "" then
      add("             %s", folder.problem)
    end
  end
  return lines
end

function M.show()
  lsp.ask("codemoat/status", nil, function(found)
    M.set(found)
    require("codemoat.window").float("Status", M.lines(found))
  end)
end

return M
