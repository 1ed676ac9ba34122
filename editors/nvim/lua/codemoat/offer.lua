--- The server's question whether to fetch a missing model. It waits for `:Codemoat fetch`: a prompt that opens by
--- itself would take the keys that somebody is typing.
local M = {}

---@type { params: table, answer: fun(choice: table?) }?
local waiting

--- Handles `window/showMessageRequest`, in a coroutine of the client's.
function M.receive(params)
  local thread = coroutine.running()
  waiting = {
    params = params,
    answer = function(choice)
      vim.schedule(function()
        coroutine.resume(thread, choice or vim.NIL)
      end)
    end,
  }
  -- Short: a message that is wider than the screen waits for a key.
  vim.notify("codemoat: the model is not on this machine. :Codemoat fetch", vim.log.levels.WARN)
  return coroutine.yield()
end

---@return string? the question that waits
function M.pending()
  return waiting and waiting.params.message
end

--- Ask it.
function M.choose()
  if not waiting then
    require("codemoat.lsp").tell("nothing to fetch. `codemoat models pull NAME` in a shell fetches a model")
    return
  end
  local question = waiting
  vim.ui.select(question.params.actions or {}, {
    prompt = question.params.message,
    format_item = function(action)
      return action.title
    end,
  }, function(choice)
    -- Nothing chosen: it can be asked again.
    if choice and waiting == question then
      waiting = nil
      question.answer(choice)
    end
  end)
end

return M
