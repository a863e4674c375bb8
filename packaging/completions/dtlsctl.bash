# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of dtlsctl in bash.

# COMMAND FIELD: what the sessions last active have in it, of that which needs no quotes. What a
# device chose as its name never reaches the command line otherwise.
_dtlsctl_sessions()
{
    timeout 1 "$1" "${socket[@]}" --json sessions --limit 1000 2>/dev/null </dev/null |
        sed -n 's/.*"'"$2"'":"\([A-Za-z0-9._@][A-Za-z0-9._@-]*\)".*/\1/p' | sort -u
}

_dtlsctl()
{
    local cur=${COMP_WORDS[COMP_CWORD]} socket=() words=() option='' identity='' i word
    # What stands before: the option that wants a value, or the words of the command. With its
    # usual COMP_WORDBREAKS, bash takes the = of an option for a word.
    for ((i = 1; i < COMP_CWORD; ++i)); do
        word=${COMP_WORDS[i]}
        if [[ $word == --identity* ]]; then
            identity=yes
        fi
        if [[ $word == '=' ]]; then
            continue
        elif [[ $option == --socket ]]; then
            socket=(--socket "$word") option=''
        elif [[ -n $option ]]; then
            option=''
        elif [[ $word =~ ^--(socket|format|limit|identity)$ ]]; then
            option=$word
        elif [[ $word != -* ]]; then
            words+=("$word")
        fi
    done
    if [[ $cur == '=' ]]; then
        cur=''
    fi

    local choices=''
    case $option:${words[*]}:$cur in
    --socket:*) compopt -o default ;;
    --format:*) choices='mosquitto stunnel gnutls' ;;
    --identity:*) choices=$(_dtlsctl_sessions "$1" identity) ;;
    --limit:*) ;;
    *:-*) choices='--socket --json --watch --limit --identity --format --version --help' ;;
    ::*) choices='status sessions close close-identity send reload restart metrics health key' ;;
    :close:*) choices=$(_dtlsctl_sessions "$1" session) ;;
    :close-identity:*) choices=$(_dtlsctl_sessions "$1" identity) ;;
    :send:*)
        if [[ -z $identity ]]; then
            choices=$(_dtlsctl_sessions "$1" session)
        fi
        ;;
    :key:*) choices='new import' ;;
    ':key import:'*) compopt -o default ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _dtlsctl dtlsctl
