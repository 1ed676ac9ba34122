" A shop.
source ~/.vim/common.vim
runtime! plugin/shop.vim

let g:shop_limit = 10
let s:counter = 0
set number

function! shop#cart#Add(item, ...) abort
  let l:local = s:Helper(a:item)
  return l:local + g:shop_limit
endfunction

func s:Helper(x)
  return a:x * 2
endfunc

function! s:Cart.total() dict
  return len(self.items)
endfunction

command! -nargs=1 ShopAdd call shop#cart#Add(<q-args>)

augroup Shop
  autocmd!
  autocmd BufWrite *.shop call s:Helper(1)
augroup END

nnoremap <leader>s :ShopAdd<CR>
