# SPDX-License-Identifier: Apache-2.0
#
# Completion of dtlsctl in fish.

# The words of the command line so far that are no options and no values of options.
function __dtlsctl_words
    set -l option
    for word in (commandline -opc)[2..]
        if test -n "$option"
            set option
        else if contains -- $word --socket --limit --identity --format
            set option $word
        else if not string match -q -- '-*' $word
            echo $word
        end
    end
end

# Whether they are these.
function __dtlsctl_after
    set -l words (__dtlsctl_words)
    test "$words" = "$argv"
end

# FIELD: what the sessions last active have in it, of that which needs no quotes. What a device
# chose as its name never reaches the command line otherwise.
function __dtlsctl_sessions -a field
    set -l socket
    set -l previous
    for word in (commandline -opc)
        if test "$previous" = --socket
            set socket --socket $word
        else if string match -q -- '--socket=*' $word
            set socket $word
        end
        set previous $word
    end
    timeout 1 dtlsctl $socket --json sessions --limit 1000 2>/dev/null </dev/null |
        string match -r -g -- '"'$field'":"([A-Za-z0-9._@][A-Za-z0-9._@-]*)"' | sort -u
end

complete -c dtlsctl -f
complete -c dtlsctl -l socket -r -F -d 'Where dtlsd is'
complete -c dtlsctl -l json -d 'Print the JSON lines of the answer unchanged'
complete -c dtlsctl -l watch -d 'Again every second'
complete -c dtlsctl -l limit -x -d 'Only so many sessions, the last active'
complete -c dtlsctl -l identity -x -a '(__dtlsctl_sessions identity)' -d 'Only the sessions of this identity'
complete -c dtlsctl -l format -x -a 'mosquitto stunnel gnutls' -d 'What the file to import is'
complete -c dtlsctl -l version -d 'Print the version'
complete -c dtlsctl -l help -d 'Print a summary'
complete -c dtlsctl -n __dtlsctl_after -a status -d 'What dtlsd is and has done'
complete -c dtlsctl -n __dtlsctl_after -a sessions -d 'The devices that are connected'
complete -c dtlsctl -n __dtlsctl_after -a close -d 'End a session'
complete -c dtlsctl -n __dtlsctl_after -a close-identity -d 'End every session of an identity'
complete -c dtlsctl -n __dtlsctl_after -a send -d 'Send a datagram to a device'
complete -c dtlsctl -n __dtlsctl_after -a reload -d 'Read the configuration anew'
complete -c dtlsctl -n __dtlsctl_after -a restart -d 'Start anew, and keep every session'
complete -c dtlsctl -n __dtlsctl_after -a metrics -d 'Counters, as Prometheus reads them'
complete -c dtlsctl -n __dtlsctl_after -a health -d 'Whether every part of dtlsd answers'
complete -c dtlsctl -n __dtlsctl_after -a key -d 'Make keys'
complete -c dtlsctl -n '__dtlsctl_after close' -a '(__dtlsctl_sessions session)'
complete -c dtlsctl -n '__dtlsctl_after close-identity' -a '(__dtlsctl_sessions identity)'
complete -c dtlsctl -n '__dtlsctl_after send; and not __fish_contains_opt identity' \
    -a '(__dtlsctl_sessions session)'
complete -c dtlsctl -n '__dtlsctl_after key' -a new -d 'An identity with a fresh key'
complete -c dtlsctl -n '__dtlsctl_after key' -a import -d 'The keys of another server'
complete -c dtlsctl -n '__dtlsctl_after key import' -F
