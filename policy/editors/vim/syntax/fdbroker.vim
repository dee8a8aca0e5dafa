" SPDX-License-Identifier: MIT
" Syntax of policies of fdbroker, fdbroker.policy(5): what is a keyword in its place, and the mistakes
" that can be seen without reading the rest. It must never call an error what `fdbroker check` takes.
" tests/system/completion.sh compares its words with those of the language.
if exists('b:current_syntax')
  finish
endif

let s:cpo_save = &cpo
set cpo&vim

syntax case match
" A line that goes on in the next one: a rule is looked at from its beginning.
syntax sync minlines=50

" `#` is a comment where a word could begin. Quotes enclose a whole word.
syntax match fdbrokerComment /\%(^\|\s\)\zs#.*$/ contains=@Spell
syntax match fdbrokerContinue /\s\zs\\$/
syntax match fdbrokerEscape /\\["\\]\|\\x\x\x/ contained
syntax region fdbrokerString start=/\%(^\|[ \t=:]\)\zs"/ skip=/\\./ end=/"/ oneline
	\ contains=fdbrokerEscape,fdbrokerWildcard,fdbrokerVariable

" Blocks
syntax match fdbrokerStatement /^\s*\zsclient\ze\s/ nextgroup=fdbrokerName skipwhite
syntax match fdbrokerName /[^ \t"{]\+/ contained nextgroup=fdbrokerOnly skipwhite
syntax keyword fdbrokerOnly only contained
syntax match fdbrokerStatement /^\s*\zsfrom\ze\s/ nextgroup=fdbrokerCondition skipwhite
syntax keyword fdbrokerCondition anyone user group unit contained nextgroup=fdbrokerWho skipwhite
syntax match fdbrokerWho /[^ \t"#][^ \t]*/ contained contains=fdbrokerWildcard,fdbrokerNumber
	\ nextgroup=fdbrokerCondition skipwhite
syntax match fdbrokerStatement /^\s*\zslimit\ze\s/ nextgroup=fdbrokerLimit skipwhite
syntax keyword fdbrokerLimit sessions requests unread contained nextgroup=fdbrokerLimitNumber skipwhite
syntax match fdbrokerLimitNumber /\d\+\%(\/s\)\?/ contained nextgroup=fdbrokerLimit skipwhite

" Rules: verbs with commas, objects, options
syntax match fdbrokerAllow /^\s*\zsallow\ze\s/ nextgroup=fdbrokerVerbs,fdbrokerWrongVerb skipwhite
syntax match fdbrokerDeny /^\s*\zsdeny\ze\s/ nextgroup=fdbrokerVerbs,fdbrokerAll,fdbrokerWrongVerb skipwhite
syntax match fdbrokerWrongVerb /[a-zA-Z,]\+/ contained
syntax keyword fdbrokerAll all contained
syntax match fdbrokerVerbs /[a-z]\+\%(,[a-z]\+\)*\ze\%(\s\|$\)/ contained contains=fdbrokerVerb
syntax keyword fdbrokerVerb contained
	\ read write append create remove stat list watch bind connect socket option resolve credential

syntax match fdbrokerEndpoint /\%(\s\)\zs\%(tcp\|udp\|unix\|vsock\|host\|raw\|netlink\|tun\|tap\):/
syntax match fdbrokerEndpoint /\s\zsicmp6\?\ze\%(\s\|$\)/
syntax match fdbrokerSetting
	\ /\s\zs\%(mark\|priority\|rcvbufforce\|sndbufforce\|transparent\|debug\|bindtodevice\)=/
syntax match fdbrokerPath /\%(\s\|\sunix:\|\s[A-Za-z0-9._-]\+=\)\zs\%(%h\)\?\/[^ \t]*/
	\ contains=fdbrokerWildcard,fdbrokerVariable,fdbrokerWrongPath

" An option word stands behind an object, so never at the beginning of a line.
syntax match fdbrokerOption /\s\zs\%(mode\|owner\|as\|max\|netns\|type\|symlinks\|with\|log\)\ze\%(\s\|$\)/
	\ nextgroup=fdbrokerValue,fdbrokerWrongMode skipwhite
" It has no value: what follows is an option again.
syntax match fdbrokerOption /\s\zscopy\ze\%(\s\|$\)/
syntax match fdbrokerValue /[a-z][^ \t"]*/ contained contains=fdbrokerWord
syntax keyword fdbrokerWord contained
	\ trusted none all denied broker peer any file directory device block fifo
	\ freebind reuseport v6only device
" As a keyword it would be an argument of this command.
syntax match fdbrokerWord /\<transparent\>/ contained

syntax match fdbrokerWildcard /\*\*\|[*?]\|\[!\?[^]\/ \t]\+\]/ contained
syntax match fdbrokerVariable /%[uUih%]/ contained
syntax match fdbrokerNumber /\<\d\+\>/ contained

" What `fdbroker check` refuses wherever it stands: `/` at the end of a path, `.` or `..` or nothing between
" slashes, `**` that is glued to something, a mode without its leading zero or beyond 0777.
syntax match fdbrokerWrongPath /[^ \t\/]\zs\/\ze\%(\s\|$\)/ contained
syntax match fdbrokerWrongPath /\/\zs\.\.\?\ze\%(\/\|\s\|$\)/ contained
syntax match fdbrokerWrongPath /\/\zs\/\+/ contained
syntax match fdbrokerWrongPath /\/\zs\*\*\+[^ \t\/*]\+/ contained
syntax match fdbrokerWrongPath /[^ \t\/*]\zs\*\*\+/ contained
syntax match fdbrokerWrongMode /\%([1-9]\d*\|0\o*[89]\d*\|0\o\{4,}\)\ze\%(\s\|$\)/ contained
syntax match fdbrokerWrongLine /^\s*\zs\%(Client\|CLIENT\|From\|FROM\|Allow\|ALLOW\|Deny\|DENY\|Limit\|LIMIT\)\ze\s/
syntax match fdbrokerWrongLine /\r$/

highlight default link fdbrokerComment Comment
highlight default link fdbrokerContinue Special
highlight default link fdbrokerEscape SpecialChar
highlight default link fdbrokerString String
highlight default link fdbrokerStatement Statement
highlight default link fdbrokerName Identifier
highlight default link fdbrokerOnly Keyword
highlight default link fdbrokerCondition Type
highlight default link fdbrokerWho Constant
highlight default link fdbrokerLimit Type
highlight default link fdbrokerLimitNumber Number
highlight default link fdbrokerAllow Statement
highlight default link fdbrokerDeny Exception
highlight default link fdbrokerAll Function
highlight default link fdbrokerVerb Function
highlight default link fdbrokerEndpoint Type
highlight default link fdbrokerSetting Type
highlight default link fdbrokerOption Keyword
highlight default link fdbrokerWord Constant
highlight default link fdbrokerWildcard Special
highlight default link fdbrokerVariable PreProc
highlight default link fdbrokerNumber Number
highlight default link fdbrokerWrongVerb Error
highlight default link fdbrokerWrongPath Error
highlight default link fdbrokerWrongMode Error
highlight default link fdbrokerWrongLine Error

let b:current_syntax = 'fdbroker'
let &cpo = s:cpo_save
unlet s:cpo_save
