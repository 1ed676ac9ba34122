-- What runs at start-up: definitions alone. Everything else is loaded by the first file or command.
if vim.g.loaded_codemoat then
  return
end
vim.g.loaded_codemoat = true
if vim.fn.has("nvim-0.10") == 0 then
  vim.api.nvim_echo({ { "codemoat needs Neovim 0.10 or later.", "WarningMsg" } }, true, {})
  return
end

vim.api.nvim_create_user_command("Codemoat", function(call)
  require("codemoat.command").run(call)
end, {
  nargs = "*",
  range = true,
  bang = true,
  desc = "codemoat: chat, search, suggestions, index",
  complete = function(...)
    return require("codemoat.command").complete(...)
  end,
})

for name, call in pairs({
  accept = "accept()",
  ["accept-word"] = "accept('word')",
  ["accept-line"] = "accept('line')",
  suggest = "suggest()",
  next = "cycle(1)",
  previous = "cycle(-1)",
  dismiss = "dismiss()",
}) do
  vim.keymap.set("i", ("<Plug>(codemoat-%s)"):format(name), ("<Cmd>lua require('codemoat').%s<CR>"):format(call))
end
vim.keymap.set("n", "<Plug>(codemoat-chat)", "<Cmd>Codemoat chat<CR>")
vim.keymap.set("n", "<Plug>(codemoat-search)", "<Cmd>Codemoat search<CR>")
vim.keymap.set("n", "<Plug>(codemoat-why)", "<Cmd>Codemoat why<CR>")
vim.keymap.set("x", "<Plug>(codemoat-ask)", ":Codemoat ask<CR>")

-- A session of Neovim's own makes an empty buffer and names it, other ones edit it by name.
local restoring = vim.api.nvim_create_augroup("codemoat.restore", {})
vim.api.nvim_create_autocmd({ "BufReadCmd", "BufFilePost" }, {
  group = restoring,
  pattern = "codemoat://chat*",
  callback = function(event)
    require("codemoat.chat").restore(event.buf, event.event == "BufFilePost")
  end,
})
vim.api.nvim_create_autocmd("BufFilePre", {
  group = restoring,
  callback = function(event)
    if vim.g.SessionLoad and package.loaded["codemoat.chat_view"] then
      require("codemoat.chat_view").make_way(event.buf)
    end
  end,
})

-- The first file starts it, and by then setup() was called, if it is called at all.
vim.api.nvim_create_autocmd("FileType", {
  group = vim.api.nvim_create_augroup("codemoat.start", {}),
  once = true,
  callback = function()
    vim.schedule(function()
      require("codemoat.lsp").enable()
    end)
  end,
})
