--- Conversations with the server: asking, streaming into the chat buffer, finding earlier ones again.
local lsp = require("codemoat.lsp")
local ready = require("codemoat.ready")
local view = require("codemoat.chat_view")
local M = {}

---@class codemoat.Answering
---@field token integer the server's events and `codemoat/chat/stop` name the answer by it
---@field client vim.lsp.Client? once it was asked

---@type string? id of the conversation that the next question goes on with
local conversation
---@type codemoat.Answering? the answer under way; what comes of another one is dropped
local answering
local tokens = 0
--- Which conversation is on the screen, counted: one that was asked for before another took its place is dropped.
local era = 0

--- What the user has before them, for the question. The server knows the documents that it is attached to.
---@param buf integer?
---@param selected { buf: integer, first: integer, last: integer }?
local function context(buf, selected)
  if not buf or not vim.api.nvim_buf_is_valid(buf) or not lsp.client(buf) then
    if selected then
      lsp.tell("asked without the lines: the server is not attached to their buffer", vim.log.levels.WARN)
    end
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

--- Stop the answer under way and drop whatever still comes of it.
local function leave()
  local left = answering
  answering = nil
  if left and left.client then
    lsp.request(left.client, "codemoat/chat/stop", { token = left.token }, function() end)
  end
end

--- Send a question or its repetition; the answer streams into the buffer meanwhile.
---@param made fun(): table the parameters, when the server is ready
local function send(method, made)
  era, tokens = era + 1, tokens + 1
  local mine = { token = tokens }
  answering = mine
  view.waiting()
  local function failed(problem)
    if answering == mine then
      answering = nil
      view.failed(problem)
    end
  end
  ready.run(function(client)
    if answering ~= mine then
      return
    end
    local problem = lsp.no_folder(client)
    if problem then
      failed(problem)
      return
    end
    mine.client = client
    local params = vim.tbl_extend("error", made(), { token = mine.token, conversation = conversation })
    lsp.request(client, method, params, function(err, answer)
      if err then
        failed(err.message)
      elseif answering == mine then
        answering = nil
        conversation = answer.conversation
        view.name(conversation)
        view.answered(answer)
      end
    end, vim.api.nvim_get_current_buf())
  end, failed)
end

--- Ask; without text it is asked for first.
---@param text string
---@param selected { buf: integer, first: integer, last: integer }?
function M.ask(text, selected)
  local why_not = selected and not lsp.client(selected.buf) and require("codemoat.buffers").why_not(selected.buf)
  if why_not then
    lsp.tell("its lines cannot be asked about: " .. why_not, vim.log.levels.WARN)
    return
  end
  if text == "" then
    require("codemoat.input").ask(selected and "Ask about these lines: " or "Ask: ", function(typed)
      M.ask(typed, selected)
    end)
    return
  end
  if answering then
    lsp.tell("an answer is under way; :Codemoat chat stop ends it", vim.log.levels.WARN)
    return
  end
  local buf = selected and selected.buf or view.code_buffer()
  view.open()
  view.question(text, selected)
  send("codemoat/chat/ask", function()
    return vim.tbl_extend("error", context(buf, selected), { question = text })
  end)
end

--- Whether an answer is under way.
function M.busy()
  return answering ~= nil
end

--- An answer's sources, or its next piece.
function M.on_event(event)
  if not answering or event.token ~= answering.token then
    return
  end
  -- A new conversation has no id while its first question waits for the index.
  if type(event.conversation) == "string" then
    conversation = event.conversation
    view.name(conversation)
  end
  if event.kind == "sources" then
    view.sources(event.sources)
  elseif event.kind == "waiting" then
    view.waiting(event.text)
  elseif event.kind == "delta" then
    view.delta(event.text)
  end
end

--- The server ended, and no answer to what it was asked will come.
---@param id integer of its client
function M.on_exit(id)
  local left = answering
  if left and left.client and left.client.id == id then
    answering = nil
    view.failed("The server ended. Ask again.")
  end
end

--- Answer the last question anew.
function M.regenerate()
  if conversation and not answering then
    view.question("The same again")
    send("codemoat/chat/regenerate", function()
      return {}
    end)
  end
end

local actions = {}

function actions.new()
  leave()
  era = era + 1
  conversation = nil
  view.open()
  view.clear()
  view.name(nil)
end

function actions.stop()
  if answering and not answering.client then
    answering = nil
    view.answered({ citations = {}, stopReason = "cancelled" })
  elseif answering then
    lsp.request(answering.client, "codemoat/chat/stop", { token = answering.token }, function() end)
  end
end

local function show(found)
  conversation = found.conversation
  view.clear()
  view.name(conversation)
  for _, turn in ipairs(found.turns) do
    view.question(turn.question)
    view.sources(turn.sources)
    view.delta(turn.answer)
    view.answered({ citations = {}, stopReason = turn.stopReason })
  end
end

--- Put an earlier conversation into the buffer and go on with it. What was said of it until now belongs to it.
---@param id string
---@param failed fun(problem: string)?
local function resume(id, failed)
  era = era + 1
  local mine = era
  leave()
  -- The server waits for the end of an answer in the same conversation.
  lsp.ask("codemoat/chat/open", { conversation = id }, function(found)
    if era == mine then
      view.make()
      show(found)
    end
  end, failed)
end

--- Give a chat buffer that a session brought back its conversation.
---@param buf integer
---@param renamed boolean it got its name just now, which may be from here
function M.restore(buf, renamed)
  if renamed and view.owns(buf) then
    return
  end
  local id = view.adopt(buf)
  -- The session may go on to open files, which tell what the server is started for.
  vim.schedule(function()
    if not id then
      leave()
      era, conversation = era + 1, nil
      return
    end
    view.waiting()
    resume(id, function(problem)
      -- Nothing else was asked or opened meanwhile.
      if conversation or answering then
        return
      end
      view.failed("This conversation was not opened: " .. problem)
    end)
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
        view.open()
        resume(head.conversation)
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
  local id = conversation
  if not id then
    return
  end
  lsp.ask("codemoat/chat/delete", { conversation = id }, function()
    if conversation == id then
      actions.new()
    end
    lsp.tell("conversation deleted")
  end)
end

--- `:Codemoat chat`: open the buffer, do something with the conversation, or ask.
function M.open(text, selected)
  local word, rest = text:match("^(%S*)%s*(.*)$")
  if actions[word] and (rest == "" or word == "rename") then
    actions[word](rest)
  elseif text ~= "" or selected then
    M.ask(text, selected)
  elseif view.open() and conversation and not answering then
    -- The buffer was deleted; the conversation was not.
    resume(conversation)
  end
end

return M
