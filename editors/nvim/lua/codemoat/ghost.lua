--- The suggestion at the cursor. It stands as long as what is typed agrees with it; the screen never goes without.
local api = vim.api
local lsp = require("codemoat.lsp")
local render = require("codemoat.render")
local M = {}

local METHOD = "textDocument/inlineCompletion"
local AUTOMATIC, INVOKED = 2, 1
local places = api.nvim_create_namespace("codemoat.places")

---@class codemoat.Place where a suggestion was asked for
---@field buf integer
---@field mark integer moves with edits above it
---@field suffix string what stood behind it on its line

---@class codemoat.Item
---@field text string
---@field replaced string what it takes the place of behind the cursor
---@field id string
---@field more boolean? the beginning of what the model still writes

---@class codemoat.Shown
---@field place codemoat.Place
---@field win integer
---@field items codemoat.Item[]
---@field index integer
---@field rest string what is not typed yet
---@field told table<string, boolean> ids that were shown
---@field accepted integer characters taken in parts
---@field invoked boolean asked for by hand
---@field drawn string? where, and in which state of the text, it was drawn last

---@type codemoat.Shown?
local shown
---@class codemoat.Asked
---@field place codemoat.Place
---@field id integer?
---@field client vim.lsp.Client
---@field invoked boolean
---@field more boolean for the rest of what is shown
---@field state string the text and the cursor that it was asked for

---@type codemoat.Asked?
local asked

--- The cursor for the server.
function M.position_params(client)
  return vim.lsp.util.make_position_params(0, client.offset_encoding)
end

local function tell(method, id, characters)
  local client = id ~= "" and lsp.client(api.nvim_get_current_buf())
  if client then
    lsp.notify(client, "codemoat/" .. method, { id = id, characters = characters })
  end
end

--- Where the cursor is, and in which state of the text.
---@return string
local function state_now()
  local cursor = api.nvim_win_get_cursor(0)
  return ("%d %d %d %d"):format(api.nvim_get_current_buf(), api.nvim_buf_get_changedtick(0), cursor[1], cursor[2])
end

---@return codemoat.Place
local function here(buf)
  local cursor = api.nvim_win_get_cursor(0)
  local mark = api.nvim_buf_set_extmark(buf, places, cursor[1] - 1, cursor[2], { right_gravity = false })
  return { buf = buf, mark = mark, suffix = api.nvim_get_current_line():sub(cursor[2] + 1) }
end

---@param place codemoat.Place
local function leave(place)
  if api.nvim_buf_is_valid(place.buf) then
    api.nvim_buf_del_extmark(place.buf, places, place.mark)
  end
end

--- What was typed between a place and the cursor; nil where the cursor went elsewhere or the line changed behind it.
---@param place codemoat.Place
---@return string?, integer?, integer?
local function typed_since(place)
  if api.nvim_get_current_buf() ~= place.buf then
    return nil
  end
  local mark = api.nvim_buf_get_extmark_by_id(place.buf, places, place.mark, {})
  local cursor = api.nvim_win_get_cursor(0)
  local row, col = cursor[1] - 1, cursor[2]
  if not mark[1] or row < mark[1] or (row == mark[1] and col < mark[2]) then
    return nil
  end
  if api.nvim_get_current_line():sub(col + 1) ~= place.suffix then
    return nil
  end
  local lines = api.nvim_buf_get_text(place.buf, mark[1], mark[2], row, col, {})
  return table.concat(lines, "\n"), row, col
end

--- What is left to type, as it is on the screen; nil without a suggestion.
---@return string?
function M.rest()
  return shown and shown.rest
end

---@return codemoat.Shown?
function M.shown()
  return shown
end

--- Draw what typing left of the suggestion, or take it away where they disagree.
---@return boolean whether one stands
function M.sync()
  if not shown then
    return false
  end
  -- A key is told twice, as a move and as a change of the text.
  local now = state_now()
  if shown.drawn == now then
    return true
  end
  local item = shown.items[shown.index]
  local typed, row, col = typed_since(shown.place)
  if not typed or #typed >= #item.text or item.text:sub(1, #typed) ~= typed then
    M.drop(typed == item.text and "typed" or "rejected")
    return false
  end
  shown.rest = item.text:sub(#typed + 1)
  render.draw(shown.place.buf, shown.win, row, col, shown.rest, item.replaced)
  shown.drawn = now
  if not item.more and not shown.told[item.id] then
    shown.told[item.id] = true
    tell("didShow", item.id)
  end
  return true
end

--- Take the suggestion off the screen. `fate`: rejected, accepted, or typed to its end.
---@return boolean whether there was one
function M.drop(fate)
  local gone = shown
  if not gone then
    return false
  end
  shown = nil
  render.clear(gone.place.buf)
  leave(gone.place)
  local id = gone.items[gone.index].id
  if fate == "accepted" then
    tell("didAccept", id)
  elseif fate == "rejected" and gone.accepted == 0 and gone.told[id] then
    tell("didReject", id)
  end
  return true
end

--- Give up what was asked; `stop`: the model need not go on either.
local function withdraw(stop)
  if not asked then
    return
  end
  local gone = asked
  asked = nil
  leave(gone.place)
  if stop and gone.id then
    lsp.cancel(gone.client, gone.id)
  end
end

--- Macros get the text that was typed into them, whatever a model would say.
local function may_ask(buf)
  return vim.bo[buf].modifiable and vim.fn.reg_recording() == "" and vim.fn.reg_executing() == ""
end

---@param invoked boolean? asked for by hand
---@param more boolean? for the rest of what is shown
function M.request(invoked, more)
  local buf = api.nvim_get_current_buf()
  local client = lsp.client(buf)
  if not client or api.nvim_get_mode().mode:sub(1, 1) ~= "i" then
    return
  end
  if not may_ask(buf) or not invoked and not require("codemoat.status").automatic() then
    return
  end
  if require("codemoat.native").on(buf) then
    return
  end
  invoked, more = invoked or false, more or false
  local state = state_now()
  -- Whoever enters insert mode and types at once is told of twice: the same request would cancel itself.
  if asked and asked.state == state and asked.more == more and (asked.invoked or not invoked) then
    return
  end
  withdraw(false)
  local mine = { place = here(buf), client = client, invoked = invoked, more = more, state = state }
  asked = mine
  local params = M.position_params(client)
  params.context = { triggerKind = invoked and INVOKED or AUTOMATIC }
  mine.id = lsp.request(client, METHOD, params, function(err, result)
    if asked ~= mine then
      return
    end
    asked = nil
    M.receive(mine, err, result)
  end, buf)
  if not mine.id then
    withdraw(false)
  end
end

--- The bytes behind the place that an item's range takes in.
local function replaced_by(place, range, encoding)
  if not range or range["end"].line ~= range.start.line then
    return ""
  end
  local count = range["end"].character - range.start.character
  if encoding == "utf-8" then
    return place.suffix:sub(1, count)
  elseif vim.fn.has("nvim-0.11") == 1 then
    return place.suffix:sub(1, vim.str_byteindex(place.suffix, encoding, count, false))
  end
  local found, bytes = pcall(vim.str_byteindex, place.suffix, count, encoding == "utf-16")
  return found and place.suffix:sub(1, bytes) or place.suffix
end

function M.receive(mine, err, result)
  local items = {}
  for _, item in ipairs(not err and result and (result.items or result) or {}) do
    local command = item.command or {}
    items[#items + 1] = {
      text = type(item.insertText) == "table" and item.insertText.value or item.insertText,
      replaced = replaced_by(mine.place, item.range, mine.client.offset_encoding),
      id = (command.arguments or {})[1] or "",
      more = ((command.arguments or {})[2] or {}).more,
    }
  end
  if #items == 0 and mine.more then
    M.receive_nothing_more(mine)
    return
  end
  if #items == 0 or api.nvim_get_mode().mode:sub(1, 1) ~= "i" then
    leave(mine.place)
    if mine.invoked and #items == 0 then
      lsp.tell(err and err.message or "no suggestion here; :Codemoat why tells why")
    end
    return
  end
  local accepted = mine.more and shown and shown.accepted or 0
  M.drop("rejected")
  shown = {
    place = mine.place,
    win = api.nvim_get_current_win(),
    items = items,
    index = 1,
    rest = "",
    told = {},
    accepted = accepted,
    invoked = mine.invoked,
  }
  -- What was typed meanwhile may be the beginning of it.
  if M.sync() then
    M.ask_for_more()
  end
end

--- While the first words stand there, the rest is asked for: at the same place or where typing came to.
function M.ask_for_more()
  if shown and shown.items[shown.index].more and not asked then
    M.request(shown.invoked, true)
  end
end

--- The whole line is worth nothing, or typing overtook the question.
---@param mine codemoat.Asked
function M.receive_nothing_more(mine)
  local typed = typed_since(mine.place)
  leave(mine.place)
  if not shown or not shown.items[shown.index].more then
    return
  end
  if typed and typed ~= "" then
    M.ask_for_more()
  else
    M.drop("")
  end
end

--- Show another candidate.
function M.cycle(step)
  if not shown then
    M.request(true)
  elseif #shown.items > 1 then
    shown.index = (shown.index - 1 + step) % #shown.items + 1
    shown.drawn = nil
    M.sync()
  else
    lsp.tell("this is the only suggestion here")
  end
end

--- After a part was inserted: it counts as typed.
function M.took(characters)
  if not shown then
    return
  end
  local item = shown.items[shown.index]
  shown.accepted = shown.accepted + characters
  tell("didPartiallyAccept", item.id, shown.accepted)
  M.sync()
end

function M.on_text()
  if M.sync() then
    M.ask_for_more()
  elseif api.nvim_get_mode().mode:sub(1, 1) == "i" then
    M.request(false)
  end
end

function M.on_move()
  M.sync()
end

function M.on_leave()
  M.drop("rejected")
  withdraw(true)
end

--- The server left a buffer.
function M.forget(buf)
  if shown and shown.place.buf == buf then
    M.drop("")
  end
  if asked and asked.place.buf == buf then
    withdraw(false)
  end
end

return M
