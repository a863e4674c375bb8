# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Completion of dtls-bench in bash.

_dtls_bench()
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
    --json:-* | --version:-* | --help:-* | [!-]*:-*)
        choices='--clients --payload --window --under-way --at-a-time --storm --rate --duration
            --warm-up --timeout --psk-identity --psk-file --psk-env --ciphers --pid --server
            --compare --rounds --json --version --help'
        ;;
    --json:*) choices='echo churn ramp blast storm' ;;
    --*:*) ;;
    *) choices='echo churn ramp blast storm' ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$choices" -- "$cur")
}

complete -F _dtls_bench dtls-bench
