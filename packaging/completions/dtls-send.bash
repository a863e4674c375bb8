# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of dtls-send in bash.

_dtls_send()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} choices=''
    # With its usual COMP_WORDBREAKS, bash takes the = of an option for a word.
    if [[ $cur == '=' ]]; then
        cur=''
    elif [[ $prev == '=' ]]; then
        prev=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case $prev:$cur in
    --psk-file:*) compopt -o default ;;
    --psk-env:*)
        mapfile -t COMPREPLY < <(compgen -e -- "$cur")
        return
        ;;
    --ciphers:*) choices='strict modern iot' ;;
    --psk-identity:* | --timeout:*) ;;
    *:-*) choices='--psk-identity --psk-file --psk-env --ciphers --timeout --no-reply --version --help' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _dtls_send dtls-send
