-- Does what a user does, and prints what can be seen, one JSON object per line.
local server = vim.env.DOCKOPT_PYTHON
local function say(name, value)
  io.stdout:write(vim.fn.json_encode({ name, value }) .. '\n')
end
local function wait(condition)
  return vim.wait(30000, condition, 10)
end
local function text(buffer)
  return table.concat(vim.api.nvim_buf_get_lines(buffer or 0, 0, -1, false), '\n') .. '\n'
end
local function client()
  return vim.lsp.buf_get_clients(0)[next(vim.lsp.buf_get_clients(0))]
end

local dockopt = require('dockopt')
dockopt.setup({ cmd = { server, '-m', 'dockopt', 'lsp' }, fix_on_save = vim.env.FIX_ON_SAVE == '1' })
vim.cmd('edit ' .. vim.env.DOCKERFILE)
local buffer = vim.api.nvim_get_current_buf()
say('filetype', vim.bo.filetype)
say('found', wait(function() return #vim.diagnostic.get(buffer) > 0 end))
say('root', client().config.root_dir)
say('capabilities', vim.lsp.protocol.make_client_capabilities())
local shown = {}
for _, d in ipairs(vim.diagnostic.get(buffer)) do
  table.insert(shown, { d.lnum, d.col, d.end_col, d.source })
end
say('shown', shown)

if vim.env.FIX_ON_SAVE == '1' then
  vim.cmd('write')
  say('saved', text())
  vim.cmd('silent! wall')
  vim.cmd('quitall!')
end

-- the menu of the editor itself
local before = text()
local offered
vim.ui.select = function(items, _, choose)
  offered = vim.tbl_map(function(item) return item[2].title end, items)
  choose(items[1], 1)
end
vim.api.nvim_win_set_cursor(0, { tonumber(vim.env.LINE), 0 })
vim.lsp.buf.code_action()
say('changed', wait(function() return text() ~= before end))
say('offered', offered)
say('applied', text())
vim.cmd('silent write')
say('written', table.concat(vim.fn.readfile(vim.env.DOCKERFILE), '\n') .. '\n')
vim.cmd('silent undo')
say('undone', text() == before)
vim.cmd('silent redo')

vim.cmd('DockoptFix')
say('all', text())
vim.cmd('silent! wall')
say('nothing left', wait(function() return #vim.diagnostic.get(buffer) == 0 end))
vim.lsp.buf.hover()
say('hovered', wait(function() return #vim.api.nvim_list_wins() > 1 end))
vim.lsp.stop_client(client().id)
say('stopped', wait(function() return next(vim.lsp.buf_get_clients(0)) == nil end))
vim.cmd('quitall!')
