# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_systole_global_optspecs
    string join \n config-dir= node= state-dir= runtime-dir= h/help V/version
end

function __fish_systole_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_systole_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_systole_using_subcommand
    set -l cmd (__fish_systole_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c systole -n "__fish_systole_needs_command" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_needs_command" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_needs_command" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_needs_command" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c systole -n "__fish_systole_needs_command" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_needs_command" -f -a "run" -d 'Run the daemon in the foreground (what the systemd unit does)'
complete -c systole -n "__fish_systole_needs_command" -f -a "check" -d 'Check the three files, and this machine, and show every mistake at once'
complete -c systole -n "__fish_systole_needs_command" -f -a "status" -d 'Show both nodes, links, groups and the last events'
complete -c systole -n "__fish_systole_needs_command" -f -a "standby" -d 'Give groups to the peer, and wait until it has them'
complete -c systole -n "__fish_systole_needs_command" -f -a "takeover" -d 'Take groups from the peer, and wait until they are here'
complete -c systole -n "__fish_systole_needs_command" -f -a "keygen" -d 'Write an authkeys file with a random key, mode 600'
complete -c systole -n "__fish_systole_needs_command" -f -a "demo" -d 'Show a cluster\'s life on this machine: two nodes, a client, failovers, measured'
complete -c systole -n "__fish_systole_needs_command" -f -a "demo-part" -d 'One process of the demo or of a test; not for use by hand'
complete -c systole -n "__fish_systole_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c systole -n "__fish_systole_using_subcommand run" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand run" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand run" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand run" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c systole -n "__fish_systole_using_subcommand run" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand check" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand check" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand check" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand check" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand check" -l files-only -d 'Look only at the files, not at this machine'
complete -c systole -n "__fish_systole_using_subcommand check" -l json -d 'Print JSON, one object per finding'
complete -c systole -n "__fish_systole_using_subcommand check" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand check" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand status" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand status" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand status" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand status" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand status" -l json -d 'Print JSON'
complete -c systole -n "__fish_systole_using_subcommand status" -l watch -d 'Show it again every second, until Ctrl-C'
complete -c systole -n "__fish_systole_using_subcommand status" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand status" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand standby" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand standby" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand standby" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand standby" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand standby" -l no-wait -d 'Return as soon as the request is accepted'
complete -c systole -n "__fish_systole_using_subcommand standby" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c systole -n "__fish_systole_using_subcommand standby" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand takeover" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand takeover" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand takeover" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand takeover" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand takeover" -l no-wait -d 'Return as soon as the request is accepted'
complete -c systole -n "__fish_systole_using_subcommand takeover" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c systole -n "__fish_systole_using_subcommand takeover" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand keygen" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand keygen" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand keygen" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand keygen" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand keygen" -l force -d 'Replace an existing file'
complete -c systole -n "__fish_systole_using_subcommand keygen" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand keygen" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo" -l rate -d 'How often the client asks, per second and kind of question' -r
complete -c systole -n "__fish_systole_using_subcommand demo" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand demo" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo" -l keep -d 'Leave the two nodes up at the end, say how to enter them, and wait for Ctrl-C'
complete -c systole -n "__fish_systole_using_subcommand demo" -l no-nginx -d 'Use the built-in responder even where nginx is installed'
complete -c systole -n "__fish_systole_using_subcommand demo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c systole -n "__fish_systole_using_subcommand demo" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -f -a "space" -d 'Process 1 of a namespace: sets it up, holds it open and reaps its orphans'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -f -a "client" -d 'The client that measures the service address'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -f -a "responder" -d 'Plays nginx where there is none'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and not __fish_seen_subcommand_from space client responder help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l name -d 'The host name' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l echo -d 'The UDP port on which to echo, with the host name added' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from space" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l service -d 'The service address and its HTTP port' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l echo -d 'The UDP port of the nodes\' echo' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l arp-interface -d 'The interface from which to ask by ARP' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l arp-sender -d 'The sender address of those ARP requests' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l interval -d 'Between two probes of a kind, in microseconds' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from client" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l listen -d 'Where to listen' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l name -d 'What to answer' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l pid-file -d 'Where to write the process id once it listens' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l config-dir -d 'Where ha.cf, haresources, authkeys and resource.d are' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l node -d 'This node\'s name in ha.cf, instead of what `uname -n` says' -r
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l state-dir -d 'Where generation and uuid of the node are kept; shared with the original' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -l runtime-dir -d 'Where the control socket is' -r -F
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -s h -l help -d 'Print help'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from responder" -s V -l version -d 'Print version'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from help" -f -a "space" -d 'Process 1 of a namespace: sets it up, holds it open and reaps its orphans'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from help" -f -a "client" -d 'The client that measures the service address'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from help" -f -a "responder" -d 'Plays nginx where there is none'
complete -c systole -n "__fish_systole_using_subcommand demo-part; and __fish_seen_subcommand_from help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "run" -d 'Run the daemon in the foreground (what the systemd unit does)'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "check" -d 'Check the three files, and this machine, and show every mistake at once'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "status" -d 'Show both nodes, links, groups and the last events'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "standby" -d 'Give groups to the peer, and wait until it has them'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "takeover" -d 'Take groups from the peer, and wait until they are here'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "keygen" -d 'Write an authkeys file with a random key, mode 600'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "demo" -d 'Show a cluster\'s life on this machine: two nodes, a client, failovers, measured'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "demo-part" -d 'One process of the demo or of a test; not for use by hand'
complete -c systole -n "__fish_systole_using_subcommand help; and not __fish_seen_subcommand_from run check status standby takeover keygen demo demo-part help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c systole -n "__fish_systole_using_subcommand help; and __fish_seen_subcommand_from demo-part" -f -a "space" -d 'Process 1 of a namespace: sets it up, holds it open and reaps its orphans'
complete -c systole -n "__fish_systole_using_subcommand help; and __fish_seen_subcommand_from demo-part" -f -a "client" -d 'The client that measures the service address'
complete -c systole -n "__fish_systole_using_subcommand help; and __fish_seen_subcommand_from demo-part" -f -a "responder" -d 'Plays nginx where there is none'
