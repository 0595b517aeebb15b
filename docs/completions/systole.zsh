#compdef systole

autoload -U is-at-least

_systole() {
    typeset -A opt_args
    typeset -a _arguments_options
    local ret=1

    if is-at-least 5.2; then
        _arguments_options=(-s -S -C)
    else
        _arguments_options=(-s -C)
    fi

    local context curcontext="$curcontext" state line
    _arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_systole_commands" \
"*::: :->systole" \
&& ret=0
    case $state in
    (systole)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:systole-command-$line[1]:"
        case $line[1] in
            (run)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--files-only[Look only at the files, not at this machine]' \
'--json[Print JSON, one object per finding]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--json[Print JSON]' \
'--watch[Show it again every second, until Ctrl-C]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(standby)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--no-wait[Return as soon as the request is accepted]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::what -- Which groups:((all\:"Everything"
local\:"The groups that prefer this node"
foreign\:"The groups that prefer the peer"
failback\:"The same as foreign"))' \
&& ret=0
;;
(takeover)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--no-wait[Return as soon as the request is accepted]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
'::what -- Which groups:((all\:"Everything"
local\:"The groups that prefer this node"
foreign\:"The groups that prefer the peer"))' \
&& ret=0
;;
(keygen)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--force[Replace an existing file]' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
'::file -- The file, or - for stdout \[default\: authkeys in the configuration directory\]:_files' \
&& ret=0
;;
(demo)
_arguments "${_arguments_options[@]}" : \
'--rate=[How often the client asks, per second and kind of question]:RATE:_default' \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'--keep[Leave the two nodes up at the end, say how to enter them, and wait for Ctrl-C]' \
'--no-nginx[Use the built-in responder even where nginx is installed]' \
'-h[Print help (see more with '\''--help'\'')]' \
'--help[Print help (see more with '\''--help'\'')]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(demo-part)
_arguments "${_arguments_options[@]}" : \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
":: :_systole__subcmd__demo-part_commands" \
"*::: :->demo-part" \
&& ret=0

    case $state in
    (demo-part)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:systole-demo-part-command-$line[1]:"
        case $line[1] in
            (space)
_arguments "${_arguments_options[@]}" : \
'--name=[The host name]:NAME:_default' \
'--echo=[The UDP port on which to echo, with the host name added]:ECHO:_default' \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(client)
_arguments "${_arguments_options[@]}" : \
'--service=[The service address and its HTTP port]:SERVICE:_default' \
'--echo=[The UDP port of the nodes'\'' echo]:ECHO:_default' \
'--arp-interface=[The interface from which to ask by ARP]:ARP_INTERFACE:_default' \
'--arp-sender=[The sender address of those ARP requests]:ARP_SENDER:_default' \
'--interval=[Between two probes of a kind, in microseconds]:INTERVAL:_default' \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(responder)
_arguments "${_arguments_options[@]}" : \
'--listen=[Where to listen]:LISTEN:_default' \
'--name=[What to answer]:NAME:_default' \
'--pid-file=[Where to write the process id once it listens]:PID_FILE:_files' \
'--config-dir=[Where ha.cf, haresources, authkeys and resource.d are]:DIR:_files' \
'--node=[This node'\''s name in ha.cf, instead of what \`uname -n\` says]:NAME:_default' \
'--state-dir=[Where generation and uuid of the node are kept; shared with the original]:DIR:_files' \
'--runtime-dir=[Where the control socket is]:DIR:_files' \
'-h[Print help]' \
'--help[Print help]' \
'-V[Print version]' \
'--version[Print version]' \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_systole__subcmd__demo-part__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:systole-demo-part-help-command-$line[1]:"
        case $line[1] in
            (space)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(client)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(responder)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
;;
(help)
_arguments "${_arguments_options[@]}" : \
":: :_systole__subcmd__help_commands" \
"*::: :->help" \
&& ret=0

    case $state in
    (help)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:systole-help-command-$line[1]:"
        case $line[1] in
            (run)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(check)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(status)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(standby)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(takeover)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(keygen)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(demo)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(demo-part)
_arguments "${_arguments_options[@]}" : \
":: :_systole__subcmd__help__subcmd__demo-part_commands" \
"*::: :->demo-part" \
&& ret=0

    case $state in
    (demo-part)
        words=($line[1] "${words[@]}")
        (( CURRENT += 1 ))
        curcontext="${curcontext%:*:*}:systole-help-demo-part-command-$line[1]:"
        case $line[1] in
            (space)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(client)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
(responder)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
(help)
_arguments "${_arguments_options[@]}" : \
&& ret=0
;;
        esac
    ;;
esac
;;
        esac
    ;;
esac
}

(( $+functions[_systole_commands] )) ||
_systole_commands() {
    local commands; commands=(
'run:Run the daemon in the foreground (what the systemd unit does)' \
'check:Check the three files, and this machine, and show every mistake at once' \
'status:Show both nodes, links, groups and the last events' \
'standby:Give groups to the peer, and wait until it has them' \
'takeover:Take groups from the peer, and wait until they are here' \
'keygen:Write an authkeys file with a random key, mode 600' \
'demo:Show a cluster'\''s life on this machine\: two nodes, a client, failovers, measured' \
'demo-part:One process of the demo or of a test; not for use by hand' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'systole commands' commands "$@"
}
(( $+functions[_systole__subcmd__check_commands] )) ||
_systole__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'systole check commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo_commands] )) ||
_systole__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part_commands] )) ||
_systole__subcmd__demo-part_commands() {
    local commands; commands=(
'space:Process 1 of a namespace\: sets it up, holds it open and reaps its orphans' \
'client:The client that measures the service address' \
'responder:Plays nginx where there is none' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'systole demo-part commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__client_commands] )) ||
_systole__subcmd__demo-part__subcmd__client_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part client commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__help_commands] )) ||
_systole__subcmd__demo-part__subcmd__help_commands() {
    local commands; commands=(
'space:Process 1 of a namespace\: sets it up, holds it open and reaps its orphans' \
'client:The client that measures the service address' \
'responder:Plays nginx where there is none' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'systole demo-part help commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__help__subcmd__client_commands] )) ||
_systole__subcmd__demo-part__subcmd__help__subcmd__client_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part help client commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__help__subcmd__help_commands] )) ||
_systole__subcmd__demo-part__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part help help commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__help__subcmd__responder_commands] )) ||
_systole__subcmd__demo-part__subcmd__help__subcmd__responder_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part help responder commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__help__subcmd__space_commands] )) ||
_systole__subcmd__demo-part__subcmd__help__subcmd__space_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part help space commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__responder_commands] )) ||
_systole__subcmd__demo-part__subcmd__responder_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part responder commands' commands "$@"
}
(( $+functions[_systole__subcmd__demo-part__subcmd__space_commands] )) ||
_systole__subcmd__demo-part__subcmd__space_commands() {
    local commands; commands=()
    _describe -t commands 'systole demo-part space commands' commands "$@"
}
(( $+functions[_systole__subcmd__help_commands] )) ||
_systole__subcmd__help_commands() {
    local commands; commands=(
'run:Run the daemon in the foreground (what the systemd unit does)' \
'check:Check the three files, and this machine, and show every mistake at once' \
'status:Show both nodes, links, groups and the last events' \
'standby:Give groups to the peer, and wait until it has them' \
'takeover:Take groups from the peer, and wait until they are here' \
'keygen:Write an authkeys file with a random key, mode 600' \
'demo:Show a cluster'\''s life on this machine\: two nodes, a client, failovers, measured' \
'demo-part:One process of the demo or of a test; not for use by hand' \
'help:Print this message or the help of the given subcommand(s)' \
    )
    _describe -t commands 'systole help commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__check_commands] )) ||
_systole__subcmd__help__subcmd__check_commands() {
    local commands; commands=()
    _describe -t commands 'systole help check commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__demo_commands] )) ||
_systole__subcmd__help__subcmd__demo_commands() {
    local commands; commands=()
    _describe -t commands 'systole help demo commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__demo-part_commands] )) ||
_systole__subcmd__help__subcmd__demo-part_commands() {
    local commands; commands=(
'space:Process 1 of a namespace\: sets it up, holds it open and reaps its orphans' \
'client:The client that measures the service address' \
'responder:Plays nginx where there is none' \
    )
    _describe -t commands 'systole help demo-part commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__demo-part__subcmd__client_commands] )) ||
_systole__subcmd__help__subcmd__demo-part__subcmd__client_commands() {
    local commands; commands=()
    _describe -t commands 'systole help demo-part client commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__demo-part__subcmd__responder_commands] )) ||
_systole__subcmd__help__subcmd__demo-part__subcmd__responder_commands() {
    local commands; commands=()
    _describe -t commands 'systole help demo-part responder commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__demo-part__subcmd__space_commands] )) ||
_systole__subcmd__help__subcmd__demo-part__subcmd__space_commands() {
    local commands; commands=()
    _describe -t commands 'systole help demo-part space commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__help_commands] )) ||
_systole__subcmd__help__subcmd__help_commands() {
    local commands; commands=()
    _describe -t commands 'systole help help commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__keygen_commands] )) ||
_systole__subcmd__help__subcmd__keygen_commands() {
    local commands; commands=()
    _describe -t commands 'systole help keygen commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__run_commands] )) ||
_systole__subcmd__help__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'systole help run commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__standby_commands] )) ||
_systole__subcmd__help__subcmd__standby_commands() {
    local commands; commands=()
    _describe -t commands 'systole help standby commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__status_commands] )) ||
_systole__subcmd__help__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'systole help status commands' commands "$@"
}
(( $+functions[_systole__subcmd__help__subcmd__takeover_commands] )) ||
_systole__subcmd__help__subcmd__takeover_commands() {
    local commands; commands=()
    _describe -t commands 'systole help takeover commands' commands "$@"
}
(( $+functions[_systole__subcmd__keygen_commands] )) ||
_systole__subcmd__keygen_commands() {
    local commands; commands=()
    _describe -t commands 'systole keygen commands' commands "$@"
}
(( $+functions[_systole__subcmd__run_commands] )) ||
_systole__subcmd__run_commands() {
    local commands; commands=()
    _describe -t commands 'systole run commands' commands "$@"
}
(( $+functions[_systole__subcmd__standby_commands] )) ||
_systole__subcmd__standby_commands() {
    local commands; commands=()
    _describe -t commands 'systole standby commands' commands "$@"
}
(( $+functions[_systole__subcmd__status_commands] )) ||
_systole__subcmd__status_commands() {
    local commands; commands=()
    _describe -t commands 'systole status commands' commands "$@"
}
(( $+functions[_systole__subcmd__takeover_commands] )) ||
_systole__subcmd__takeover_commands() {
    local commands; commands=()
    _describe -t commands 'systole takeover commands' commands "$@"
}

if [ "$funcstack[1]" = "_systole" ]; then
    _systole "$@"
else
    compdef _systole systole
fi
