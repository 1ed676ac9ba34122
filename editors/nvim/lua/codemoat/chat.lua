--- Conversations with the server: asking, streaming into the chat buffer, finding earlier ones again.
local lsp = require("codemoat.lsp")
local view = require("codemoat.chat_view")
local M = {}

---@type string? id of the conversation that the next question goes on with
local conversation
---@type integer? names the answer that is under way
local token
local tokens = 0

--- What the user has before them, for the question.
---@param selected { buf: integer, first: integer, last: integer }?
local function context(selected)
  local buf = selected and selected.buf or view.code_buffer()
  if not buf or vim.bo[buf].buftype ~= "" or vim.api.nvim_buf_get_name(buf) == "" then
    return {}
  end
  local document = { uri = vim.uri_from_bufnr(buf) }
  if selected then
    local last = vim.api.nvim_buf_get_lines(buf, selected.last - 1, selected.last, false)[1] or ""
    local range = {
      start = { line = selected.first - 1, character = 0 },
      -- Whole lines are taken, so the unit does not matter.
      ["end"] = { line = selected.last - 1, character = #last },
    }
    return { selection = { textDocument = document, range = range }, textDocument = document }
  end
  local win = vim.fn.bufwinid(buf)
  local line = win ~= -1 and vim.api.nvim_win_get_cursor(win)[1] - 1 or 0
  return { textDocument = document, position = { line = line, character = 0 } }
end

--- Send a question or its repetition; the answer streams into the buffer meanwhile.
local function send(method, params)
  local client = lsp.any()
  if not client then
    lsp.tell("no server runs. Open a file first; :checkhealth codemoat says more", vim.log.levels.WARN)
    return
  end
  tokens = tokens + 1
  token = tokens
  local mine = token
  params.token, params.conversation = mine, conversation
  view.waiting()
  lsp.request(client, method, params, function(err, answer)
    if token ~= mine then
      return
    end
    token = nil
    if err then
      view.failed(err.message)
      return
    end
    conversation = answer.conversation
    view.answered(answer)
  end, vim.api.nvim_get_current_buf())
end

--- Ask; without text it is asked for first.
---@param text string
---@param selected { buf: integer, first: integer, last: integer }?
function M.ask(text, selected)
  if text == "" then
    require("codemoat.input").ask(selected and "Ask about these lines: " or "Ask: ", function(typed)
      M.ask(typed, selected)
    end)
    return
  end
  if token then
    lsp.tell("an answer is under way; :Codemoat chat stop ends it", vim.log.levels.WARN)
    return
  end
  local params = context(selected)
  params.question = text
  view.open()
  view.question(text, selected)
  send("codemoat/chat/ask", params)
end

--- Whether an answer is under way.
function M.busy()
  return token ~= nil
end

--- An answer's sources, or its next piece.
function M.on_event(event)
  if event.token ~= token then
    return
  end
  conversation = event.conversation
  if event.kind == "sources" then
    view.sources(event.sources)
  elseif event.kind == "waiting" then
    view.waiting(event.text)
  elseif event.kind == "delta" then
    view.delta(event.text)
  end
end

--- Answer the last question anew.
function M.regenerate()
  if conversation and not token then
    view.question("The same again")
    send("codemoat/chat/regenerate", {})
  end
end

local actions = {}

function actions.new()
  conversation = nil
  view.open()
  view.clear()
end

function actions.stop()
  if token then
    lsp.ask("codemoat/chat/stop", { token = token }, function() end)
  end
end

--- Put an earlier conversation into the buffer and go on with it.
local function resume(head)
  lsp.ask("codemoat/chat/open", { conversation = head.conversation }, function(found)
    conversation = found.conversation
    view.open()
    view.clear()
    for _, turn in ipairs(found.turns) do
      view.question(turn.question)
      view.sources(turn.sources)
      view.delta(turn.answer)
      view.answered({ citations = {} })
    end
  end)
end

function actions.list()
  lsp.ask("codemoat/chat/list", vim.empty_dict(), function(found)
    if #found.conversations == 0 then
      lsp.tell("no saved conversation about this folder")
      return
    end
    vim.ui.select(found.conversations, {
      prompt = "Go on with",
      kind = "codemoat",
      format_item = function(head)
        return ("%s  %s"):format(os.date("%Y-%m-%d %H:%M", math.floor(head.updated)), head.title)
      end,
    }, function(head)
      if head then
        resume(head)
      end
    end)
  end)
end

function actions.rename(title)
  if not conversation or title == "" then
    lsp.tell(":Codemoat chat rename TITLE names the conversation that is open", vim.log.levels.WARN)
    return
  end
  lsp.ask("codemoat/chat/rename", { conversation = conversation, title = title }, function(head)
    lsp.tell("conversation: " .. head.title)
  end)
end

function actions.delete()
  if conversation then
    lsp.ask("codemoat/chat/delete", { conversation = conversation }, function()
      actions.new()
      lsp.tell("conversation deleted")
    end)
  end
end

--- `:Codemoat chat`: open the buffer, do something with the conversation, or ask.
function M.open(text, selected)
  local word, rest = text:match("^(%S*)%s*(.*)$")
  if actions[word] and (rest == "" or word == "rename") then
    actions[word](rest)
  elseif text ~= "" or selected then
    M.ask(text, selected)
  else
    view.open()
  end
end

return M
