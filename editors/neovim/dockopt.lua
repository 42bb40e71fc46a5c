-- dockopt in Neovim 0.7 or newer; see README.md beside this file.
local M = {}

-- The workspace is what the server may read: the repository, or the directory of the Dockerfile where there is none.
local function root_of(file)
  local directory = vim.fn.fnamemodify(file, ':p:h')
  local found = vim.fn.finddir('.git', vim.fn.escape(directory, ' ,;') .. ';')
  if found == '' then
    found = vim.fn.findfile('.git', vim.fn.escape(directory, ' ,;') .. ';') -- a work tree of its own
  end
  return found == '' and directory or vim.fn.fnamemodify(found, ':p'):gsub('/%.git/?$', '')
end

local clients = {} -- root → id of the client (`vim.lsp.start` does that from 0.8 on)

local function attach(options)
  local root = root_of(vim.api.nvim_buf_get_name(0))
  local config = {
    name = 'dockopt',
    cmd = options.cmd,
    root_dir = root,
    settings = { dockopt = options.settings },
    -- asked for by newer versions, sent at the start for older ones
    init_options = options.settings,
  }
  if vim.lsp.start then
    vim.lsp.start(config)
    return
  end
  config.on_exit = function()
    clients[root] = nil
  end
  clients[root] = clients[root] or vim.lsp.start_client(config)
  if clients[root] then
    vim.lsp.buf_attach_client(0, clients[root])
  end
end

-- Apply everything that keeps the image, as `dockopt fix --write` would; nothing is saved.
function M.fix_all(buffer, timeout)
  buffer = buffer or vim.api.nvim_get_current_buf()
  local last = vim.api.nvim_buf_line_count(buffer)
  local params = {
    textDocument = vim.lsp.util.make_text_document_params(buffer),
    range = { start = { line = 0, character = 0 }, ['end'] = { line = last, character = 0 } },
    context = { diagnostics = {}, only = { 'source.fixAll.dockopt' } },
  }
  local answers = vim.lsp.buf_request_sync(buffer, 'textDocument/codeAction', params, timeout or 3000)
  for id, answer in pairs(answers or {}) do
    local client = vim.lsp.get_client_by_id(id)
    for _, action in ipairs(client and client.name == 'dockopt' and answer.result or {}) do
      if not action.edit then
        local resolved = client.request_sync('codeAction/resolve', action, timeout or 3000, buffer)
        action = resolved and resolved.result or action
      end
      if action.edit then
        vim.lsp.util.apply_workspace_edit(action.edit, client.offset_encoding)
      end
    end
  end
end

-- options: cmd = { 'dockopt', 'lsp' }, settings = { … }, fix_on_save = false
function M.setup(options)
  options = vim.tbl_extend('keep', options or {}, { cmd = { 'dockopt', 'lsp' }, settings = {}, fix_on_save = false })
  local group = vim.api.nvim_create_augroup('dockopt', { clear = true })
  vim.api.nvim_create_autocmd('FileType', {
    group = group,
    pattern = 'dockerfile',
    callback = function()
      attach(options)
    end,
  })
  vim.api.nvim_create_user_command('DockoptFix', function()
    M.fix_all()
  end, { desc = 'Apply what keeps the image' })
  if options.fix_on_save then
    vim.api.nvim_create_autocmd('BufWritePre', {
      group = group,
      callback = function(event)
        if vim.bo[event.buf].filetype == 'dockerfile' then
          M.fix_all(event.buf)
        end
      end,
    })
  end
end

return M
