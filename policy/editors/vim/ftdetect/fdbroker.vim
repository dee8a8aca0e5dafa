" SPDX-License-Identifier: MIT
" Which files are policies of fdbroker(1): those in its folders, and others that begin as one does.
autocmd BufNewFile,BufRead */fdbroker/policy.d/*.policy,*/fdbroker/*.policy setfiletype fdbroker
autocmd BufRead *.policy if search('^\s*client\s\+\S\+\s\+\(only\s\+\)\?{', 'nw') | setfiletype fdbroker | endif
