--- `:Codemoat` and its sub-commands.
local lsp = require("codemoat.lsp")
local M = {}

--- The lines of a command's range, as the editor shows them now.
local function selection(call)
  if call.range == 0 then
    return nil
  end
  return { buf = vim.api.nvim_get_current_buf(), first = call.line1, last = call.line2 }
end

--- Run a command of the server and tell what came of it.
local function execute(command, arguments, tell)
  lsp.ask("workspace/executeCommand", { command = command, arguments = arguments }, function(result)
    lsp.tell(tell(result))
  end)
end

---@type table<string, { run: fun(text: string, call: table), words: string[]? }>
local commands = {
  ask = {
    run = function(text, call)
      require("codemoat.chat").ask(text, selection(call))
    end,
  },
  chat = {
    run = function(text, call)
      require("codemoat.chat").open(text, selection(call))
    end,
    words = { "new", "list", "stop", "rename", "delete" },
  },
  dismiss = {
    run = function()
      require("codemoat").dismiss()
    end,
  },
  fetch = {
    run = function()
      require("codemoat.offer").choose()
    end,
  },
  index = {
    run = function(text)
      local what = text == "" and "update" or text
      lsp.ask("codemoat/index", { ["do"] = what }, function(status)
        require("codemoat.status").set(status)
        lsp.tell("index: " .. what)
      end)
    end,
    words = { "update", "rebuild", "stop", "start" },
  },
  log = {
    run = function()
      vim.cmd.tabedit(vim.fn.fnameescape(vim.lsp.get_log_path and vim.lsp.get_log_path() or vim.lsp.log.get_filename()))
    end,
  },
  search = {
    run = function(text)
      require("codemoat.search").run(text)
    end,
  },
  snooze = {
    run = function(text)
      local minutes = text == "" and 30 or tonumber(text)
      if not minutes then
        lsp.tell("snooze takes a number of minutes; 0 ends it", vim.log.levels.ERROR)
        return
      end
      execute("codemoat.snooze", { minutes }, function()
        return minutes == 0 and "suggestions are back" or ("no suggestions for %g minutes"):format(minutes)
      end)
    end,
    words = { "0", "10", "30", "60" },
  },
  status = {
    run = function()
      require("codemoat.status").show()
    end,
  },
  suggest = {
    run = function()
      require("codemoat").suggest()
    end,
  },
  toggle = {
    run = function(text)
      local language = text ~= "" and text or vim.bo.filetype
      execute("codemoat.toggle", { language }, function(result)
        return ("suggestions in %s are %s"):format(result.language, result.enabled and "on" or "off")
      end)
    end,
  },
  why = {
    run = function()
      require("codemoat.why").show()
    end,
  },
}

function M.run(call)
  local name, text = call.args:match("^(%S*)%s*(.-)%s*$")
  local command = commands[name == "" and "status" or name]
  if not command then
    local known = table.concat(vim.tbl_keys(commands), ", ")
    lsp.tell(("there is no :Codemoat %s. There are: %s"):format(name, known), vim.log.levels.ERROR)
    return
  end
  lsp.enable()
  command.run(text, call)
end

--- Completes sub-commands, then their words.
function M.complete(lead, line)
  local name = line:match("Codemoat!?%s+(%S+)%s")
  local words = name and (commands[name] or {}).words or vim.tbl_keys(commands)
  local found = vim.tbl_filter(function(word)
    return vim.startswith(word, lead)
  end, name and not (commands[name] or {}).words and {} or words)
  table.sort(found)
  return found
end

return M
